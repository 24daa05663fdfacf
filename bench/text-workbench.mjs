/**
 * The stores of one set of documents, filled and open. One set is open at a time; a filled
 * directory stays, so that rows on files and fresh processes find it.
 */
import assert from 'node:assert/strict';
import { openJsTexts } from './stores/js-texts.mjs';
import { TextSet } from './text-sets.mjs';

/** @typedef {{ name: string, texts: import('./stores/texts.mjs').Texts }} Player */
/** @typedef {import('./stores/store.mjs').Store} Store */

const YARDSTICK = 'js';
const SUBJECT = 'mneme';

/** @type {WeakMap<import('./workbench.mjs').Workbench, TextWorkbench>} */
const byWorkbench = new WeakMap();

/** @param {import('./workbench.mjs').Workbench} workbench */
export function textWorkbench(workbench) {
  const known = byWorkbench.get(workbench) ?? new TextWorkbench(workbench);
  byWorkbench.set(workbench, known);
  return known;
}

export class TextWorkbench {
  /** @param {import('./workbench.mjs').Workbench} workbench */
  constructor(workbench) {
    this.workbench = workbench;
    /** @type {Map<string, TextSet>} */
    this.sets = new Map();
    /** @type {Map<string, string>} */
    this.directories = new Map();
    /** @type {{ set: TextSet, players: Player[] } | undefined} */
    this.current = undefined;
  }

  /** @param {string} name */
  set(name) {
    const known = this.sets.get(name) ?? new TextSet(name, this.workbench.options.quick);
    this.sets.set(name, known);
    return known;
  }

  /** @param {string} setName */
  stores(setName) {
    const all = this.workbench.storesOf(`text-${setName}`);
    return all.filter(({ openTexts }) => openTexts !== undefined);
  }

  /**
   * @param {Store} store
   * @param {string} directory
   * @param {number} threads
   */
  openedIn({ name, openTexts }, directory, threads = 1) {
    assert.ok(openTexts, `${name} has no full text`);
    const { cacheSizeBytes } = this.workbench.options;
    return openTexts({ directory, cacheSizeBytes, threads });
  }

  /** The directory of a store that has been filled with a set; nobody has it open.
   * @param {Store} store @param {string} setName */
  async closedDirectory(store, setName) {
    if (!this.directories.has(`${setName}-${store.name}`)) await this.opened(setName);
    await this.workbench.release();
    return /** @type {string} */ (this.directories.get(`${setName}-${store.name}`));
  }

  /**
   * The set and its stores, filled and open, and the yardstick beside them where it is wanted.
   * @param {string} setName
   */
  async opened(setName) {
    if (this.current?.set.name === setName) return this.current;
    await this.workbench.release();
    const set = this.set(setName);
    /** @type {Player[]} */
    const players = [];
    this.current = { set, players };
    this.workbench.whenReleased(() => this.close());
    for (const store of this.stores(setName)) {
      const place = `${setName}-${store.name}`;
      const known = this.directories.get(place);
      const directory = known ?? this.workbench.newDirectory(`text-${place}`);
      const texts = await this.openedIn(store, directory);
      // What is held in memory is gone when it is closed; a database is where it was.
      if (known === undefined || texts.put === undefined) await texts.fill(set.documents);
      this.directories.set(place, directory);
      players.push({ name: store.name, texts });
    }
    await this.compare(set, players);
    return this.current;
  }

  /**
   * Adds the yardstick, and proves that mneme finds what it finds, to the last bit.
   * @param {TextSet} set
   * @param {Player[]} players
   */
  async compare(set, players) {
    const subject = players.find(({ name }) => name === SUBJECT);
    const yardstick = openJsTexts();
    await yardstick.fill(set.documents);
    for (const kind of /** @type {const} */ (['two', 'four', 'stop'])) {
      const queries = set.queries(kind).slice(0, 50);
      for (const all of [false, true]) {
        const { hits } = await yardstick.search(queries, all);
        if (subject === undefined) continue;
        assert.deepEqual((await subject.texts.search(queries, all)).hits, hits);
      }
    }
    players.push({ name: YARDSTICK, texts: yardstick });
  }

  async close() {
    const players = this.current?.players ?? [];
    this.current = undefined;
    for (const { texts } of players) await texts.close();
  }
}
