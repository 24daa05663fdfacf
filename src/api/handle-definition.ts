/**
 * What a handle is of: a keyspace of values with its kind of keys, or one of full text.
 */
import { writeText } from '../shared/bytes/text.js';
import { MnemeError } from '../shared/errors.js';
import type { KeysKind, KeyspaceRecord } from '../shared/keyspaces/catalog.js';
import { encodeSettings, type TextSettings } from '../shared/keyspaces/text-state.js';
import * as messages from '../shared/memory/messages.js';
import type { Core } from './core.js';

/** Room for the longest name while it is being written. */
const NAME_ROOM = 3072;

/** What a handle asks of its keyspace. */
export interface HandleKind {
  readonly keys: KeysKind;
  /** Undefined: as it is stored. */
  readonly encrypted: boolean | undefined;
  /** Of full text; undefined for values. */
  readonly settings: TextSettings | undefined;
}

/**
 * @throws {MnemeError} `ERR_MNEME_TYPE_MISMATCH` when the keyspace is of another kind,
 * `ERR_MNEME_ENCRYPTION_MISMATCH`.
 */
export function checkStoredKind(
  record: KeyspaceRecord | undefined,
  { keys, encrypted, settings }: HandleKind,
): KeyspaceRecord | undefined {
  if (record === undefined) return undefined;
  const stored = record.text === undefined ? record.keys : 'full text';
  const asked = settings === undefined ? keys : 'full text';
  if (stored !== asked) throw new MnemeError('ERR_MNEME_TYPE_MISMATCH', { stored, asked });
  const isEncrypted = record.keyspaceId !== undefined;
  if (encrypted !== undefined && encrypted !== isEncrypted) {
    throw new MnemeError('ERR_MNEME_ENCRYPTION_MISMATCH', {
      stored: isEncrypted,
      asked: encrypted,
    });
  }
  return record;
}

/** Tells the writer what a handle means. */
export function defineHandle(
  { writer, memory, options }: Core,
  handle: number,
  name: string,
  { keys, encrypted, settings }: HandleKind,
): void {
  const bytes = settings === undefined ? new Uint8Array(0) : encodeSettings(settings);
  writer.begin(false, options.clock());
  const at = writer.reserve(bytes.length + NAME_ROOM);
  memory.u8.set(bytes, at);
  const length = writeText(memory.text, name, at + bytes.length);
  const keysFlag = keys === 'bytes' ? messages.BYTES_KEYS : 0;
  const asked = encrypted === true ? messages.ENCRYPTED : messages.PLAIN;
  const encryption = encrypted === undefined ? 0 : asked;
  const flags = keysFlag | encryption | (settings === undefined ? 0 : messages.FULL_TEXT);
  writer.add({ code: messages.DEFINE, flags, handle, number: 0 }, bytes.length, length);
  writer.send();
}
