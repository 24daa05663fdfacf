/**
 * The operations on keys within the open transaction, one by one.
 */
import { PUBLIC_KEY_BYTES } from '../shared/bytes/identity-keys.js';
import { readU32, writeU32 } from '../shared/bytes/integers.js';
import { utf8Text } from '../shared/bytes/text.js';
import { storedRing } from '../shared/keyspaces/key-ring.js';
import * as messages from '../shared/memory/messages.js';
import type { AnswerWriter } from './answer.js';
import type { Engine } from './engine.js';
import type { CatalogWriter } from './keyspaces/catalog.js';
import { type ResealPlace, resealSome } from './keyspaces/reseal.js';

export class KeyOperations {
  readonly #engine: Engine;
  readonly #answer: AnswerWriter;
  readonly #catalog: CatalogWriter;

  constructor(engine: Engine, answer: AnswerWriter, catalog: CatalogWriter) {
    this.#engine = engine;
    this.#answer = answer;
    this.#catalog = catalog;
  }

  /** False when the code is not of an operation on keys. */
  run(place: messages.OperationPlace): boolean {
    const { keyRing, memory } = this.#engine;
    const value = () => memory.u8.slice(place.keyEnd, place.valueEnd);
    switch (place.code) {
      case messages.ADD_KEY:
        keyRing.add(value());
        break;
      case messages.REMOVE_KEY:
        keyRing.remove(value());
        break;
      case messages.ROTATE_KEY:
        keyRing.rotate();
        break;
      case messages.FORGET_KEYS:
        keyRing.forgetOlder();
        break;
      case messages.COPY_KEYS:
        keyRing.begin(publicKeysIn(value()));
        break;
      case messages.KEY_SLOTS:
        this.#slots();
        break;
      case messages.RESEAL:
        this.#reseal(place, value());
        break;
      case messages.FREE_DROPPED:
        this.#catalog.freeSome();
        this.#answer.number(this.#catalog.hasDropped ? 1 : 0);
        break;
      default:
        return false;
    }
    return true;
  }

  #slots(): void {
    const { catalog } = this.#engine;
    const ring = storedRing(this.#engine.enterCatalog(), catalog);
    const keys = (ring?.slots ?? []).map(({ publicKey }) => publicKey);
    this.#answer.bytes(Buffer.concat(keys));
  }

  /** The key is the keyspace's name, the value where to begin: a tree and a key. */
  #reseal({ keyStart, keyEnd }: messages.OperationPlace, value: Uint8Array): void {
    const engine = this.#engine;
    const keyspace = engine.keyspace(utf8Text(engine.memory.text, keyStart, keyEnd));
    if (!keyspace.exists || keyspace.source.cipher === undefined) return;
    const next = resealSome(engine, keyspace, placeOf(value));
    if (next === undefined) return;
    const bytes = new Uint8Array(4 + next.key.length);
    writeU32(bytes, 0, next.tree);
    bytes.set(next.key, 4);
    this.#answer.bytes(bytes);
  }
}

function publicKeysIn(bytes: Uint8Array): Uint8Array[] {
  const count = bytes.length / PUBLIC_KEY_BYTES;
  return Array.from({ length: count }, (_, index) => {
    return bytes.slice(index * PUBLIC_KEY_BYTES, (index + 1) * PUBLIC_KEY_BYTES);
  });
}

function placeOf(bytes: Uint8Array): ResealPlace {
  if (bytes.length === 0) return { tree: 0, key: bytes };
  return { tree: readU32(bytes, 0), key: bytes.subarray(4) };
}
