/**
 * Uses a file in every way there is, and says what went wrong beside what may: an answer, or an
 * error that says what is the matter with the file.
 */
import { rmSync } from 'node:fs';
import { type Database, type FtKeyspace, type Keyspace, MnemeError, open } from 'mneme';
import { readTexts, writeTexts } from './examine-texts.js';
import { KEYSPACES, keyAt, OPENED_AT, TEXTS, vectorAt } from './fixture.js';

/** More entries than any file has whose size is that of the fixture. */
const ENTRIES_MAX = 20_000;
const CODES: ReadonlySet<string> = new Set([
  'ERR_MNEME_NOT_A_DATABASE',
  'ERR_MNEME_FORMAT_VERSION',
  'ERR_MNEME_CORRUPT',
  'ERR_MNEME_TYPE_MISMATCH',
  'ERR_MNEME_INTEGER_OVERFLOW',
  'ERR_MNEME_DIMENSION_MISMATCH',
  'ERR_MNEME_ANALYZER_MISMATCH',
  'ERR_MNEME_ANALYZER_MISSING',
]);

type AnyKeyspace = Keyspace<string> | Keyspace<Uint8Array>;

export class Examination {
  /** What must not happen, and where it did. */
  readonly faults: string[] = [];
  /** Codes that were met, each once. */
  readonly codes = new Set<string>();
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Reads, writes, and reads again. */
  run(): void {
    this.#open(true, (database) => {
      this.#read(database);
      this.#attempt('compact', () => this.#copy(database, 'compact'));
    });
    this.#open(false, (database) => {
      this.#write(database);
      this.#attempt('verify after writing', () => database.verify());
      this.#attempt('backup', () => this.#copy(database, 'backup'));
    });
    this.#open(true, (database) => this.#read(database));
  }

  #open(readonly: boolean, use: (database: Database) => void): void {
    let database: Database | undefined;
    const clock = (): number => OPENED_AT;
    const options = { readonly, create: false, cacheSize: 2 ** 20, sync: 'none', clock } as const;
    this.#attempt(readonly ? 'open to read' : 'open', () => {
      database = open(this.#path, options);
    });
    if (database === undefined) return;
    const opened = database;
    use(opened);
    this.#attempt('close', () => opened.close());
  }

  #attempt(title: string, action: () => unknown): void {
    try {
      action();
    } catch (error) {
      if (this.#isAllowed(error)) return;
      const { stack, cause } = error instanceof Error ? error : { stack: String(error), cause: '' };
      this.faults.push(`${title}: ${stack} ${cause instanceof Error ? cause.stack : cause}`);
    }
  }

  #isAllowed(error: unknown): boolean {
    if (!(error instanceof MnemeError)) return false;
    this.codes.add(error.code);
    // What broke a commit is told of once; from then on the handle refuses to write.
    const refuses = error.code === 'ERR_MNEME_IO' && 'reason' in error.details;
    return refuses || CODES.has(error.code);
  }

  #keyspaces(database: Database, use: (keyspace: AnyKeyspace, name: string) => void): void {
    for (const { name, keys } of KEYSPACES) {
      this.#attempt(`keyspace ${name}`, () => {
        const opened =
          keys === 'bytes' ? database.keyspace(name, { keys }) : database.keyspace(name);
        use(opened, name);
      });
    }
  }

  #read(database: Database): void {
    this.#attempt('info', () => database.info());
    this.#attempt('stats', () => database.stats());
    this.#attempt('keyspaces', () => database.keyspaces());
    this.#keyspaces(database, (keyspace, name) => this.#readKeyspace(keyspace, name));
    this.#texts(database, readTexts);
    this.#attempt('verify', () => database.verify());
  }

  /** There is a sound copy, or none. */
  #copy(database: Database, method: 'compact' | 'backup'): void {
    const path = `${this.#path}.copy`;
    database[method](path);
    const copy = open(path, { readonly: true });
    const { problems } = copy.verify();
    copy.close();
    rmSync(path);
    if (problems.length > 0) throw new Error(`the copy has problems: ${JSON.stringify(problems)}`);
  }

  #texts(database: Database, actions: (texts: FtKeyspace) => Record<string, () => unknown>): void {
    this.#attempt('texts', () => {
      const texts = database.ftKeyspace(TEXTS);
      for (const [title, action] of Object.entries(actions(texts))) {
        this.#attempt(`texts: ${title}`, action);
      }
    });
  }

  #readKeyspace(keyspace: AnyKeyspace, name: string): void {
    const keys = Array.from({ length: 12 }, (_, index) => keyAt(name, index * 5));
    const reads: Record<string, () => unknown> = {
      count: () => keyspace.count(),
      'count of a prefix': () => keyspace.count(keys[3]?.slice(0, 8)),
      stats: () => keyspace.stats(),
      range: () => this.#exhaust(keyspace, {}),
      'range backwards': () => this.#exhaust(keyspace, { reverse: true }),
      'range of a part': () => this.#exhaust(keyspace, { gte: keys[2] as string, offset: 7 }),
      'range backwards of a part': () => {
        this.#exhaust(keyspace, { lt: keys[9] as string, reverse: true, offset: 3, limit: 50 });
      },
      getMany: () => keyspace.getMany(keys),
    };
    for (const [title, read] of Object.entries(reads)) this.#attempt(`${name}: ${title}`, read);
    for (const key of keys) {
      this.#attempt(`${name}: get`, () => keyspace.get(key));
      this.#attempt(`${name}: ttl`, () => keyspace.ttl(key));
      this.#attempt(`${name}: typeOf`, () => keyspace.typeOf(key));
    }
    this.#attempt(`${name}: get a long value`, () => keyspace.get('one'));
    if (name === 'collections') this.#readCollections(keyspace);
    if (name === 'vectors' || name === 'long vectors')
      this.#readVectors(keyspace as Keyspace, name);
  }

  #readVectors(keyspace: Keyspace, name: 'vectors' | 'long vectors'): void {
    const query = vectorAt(name, 5);
    const many = [vectorAt(name, 8), query, vectorAt(name, 11)];
    const reads: Record<string, () => unknown> = {
      vdim: () => keyspace.vdim(),
      vcount: () => [keyspace.vcount(), keyspace.vcount(keyAt(name, 20).slice(0, -1))],
      vget: () => [7, 8, 19, 10_000].map((index) => keyspace.vget(keyAt(name, index))),
      cosine: () => keyspace.vsearch(query),
      dot: () => keyspace.vsearch(query, { metric: 'dot', topK: 40, includeVectors: true }),
      l2: () => keyspace.vsearch(query, { metric: 'l2', topK: ENTRIES_MAX }),
      'search a prefix': () => keyspace.vsearch(query, { filter: keyAt(name, 20).slice(0, -2) }),
      'search with a filter': () => keyspace.vsearch(query, { filter: (key) => key.endsWith('2') }),
      vsearchMany: () => keyspace.vsearchMany(many, { metric: 'l2' }),
    };
    for (const [title, read] of Object.entries(reads)) this.#attempt(`${name}: ${title}`, read);
  }

  #readCollections(keyspace: AnyKeyspace): void {
    for (const name of ['large', keyAt('small', 7)]) {
      const set = keyspace.sortedSet(name);
      const list = keyspace.list(name);
      const reads: Record<string, () => unknown> = {
        card: () => set.card(),
        score: () => set.score(keyAt('member', 7)),
        rank: () => set.rank(keyAt('member', 7), { reverse: true }),
        'rank of one': () => set.rank('one'),
        'range by rank': () => set.rangeByRank(-20, -1),
        'range by score': () => set.rangeByScore(3, 9, { offset: 5, limit: 200 }),
        iter: () => this.#exhaustItems(set.iter()),
        'iter backwards': () => this.#exhaustItems(set.iter({ reverse: true })),
        len: () => list.len(),
        index: () => [list.index(0), list.index(-1), list.index(10)],
        'range of a list': () => list.range(2, 30),
        'all of a list': () => this.#exhaustItems(list[Symbol.iterator]()),
      };
      for (const [title, read] of Object.entries(reads)) this.#attempt(`${name}: ${title}`, read);
    }
  }

  #exhaustItems(items: Iterable<unknown>): void {
    let count = 0;
    for (const _ of items) {
      if (++count <= ENTRIES_MAX) continue;
      this.faults.push('a walk has no end');
      return;
    }
  }

  #exhaust(keyspace: AnyKeyspace, options: object): void {
    let count = 0;
    for (const _ of keyspace.range(options)) {
      if (++count <= ENTRIES_MAX) continue;
      this.faults.push('a range has no end');
      return;
    }
  }

  #write(database: Database): void {
    this.#keyspaces(database, (keyspace, name) => this.#writeKeyspace(keyspace, name));
    this.#attempt('collections', () => this.#writeCollections(database.keyspace('collections')));
    for (const name of ['vectors', 'long vectors'] as const) {
      this.#attempt(name, () => this.#writeVectors(database.keyspace(name), name));
    }
    this.#texts(database, writeTexts);
    this.#attempt('keyspaces in a batch', () => {
      database.batch(() => database.keyspaces());
    });
    this.#attempt('purge', () => database.purgeExpired());
    this.#attempt('drop', () => database.dropKeyspace('typed'));
    this.#attempt('fill', () => fillAnew(database));
    this.#attempt('sync', () => database.sync());
  }

  #writeCollections(keyspace: Keyspace): void {
    for (const name of ['large', keyAt('small', 7), 'new']) {
      const set = keyspace.sortedSet(name);
      const list = keyspace.list(name);
      const members = Array.from({ length: 60 }, (_, index) => keyAt('member', index));
      const writes: Record<string, () => unknown> = {
        add: () => set.add(5, 'new', 6, keyAt('member', 3), 6, keyAt('member', 399)),
        rem: () => set.rem(keyAt('member', 4), keyAt('member', 398)),
        'rem many': () => set.rem(...members),
        batchIncr: () => set.batchIncr(members, 2),
        rpush: () => list.rpush('new', 'z'.repeat(3000)),
        lpush: () => list.lpush(5),
        rpop: () => [list.rpop(), list.rpop(), list.rpop()],
        lpop: () => [list.lpop(), list.lpop(), list.lpop()],
        'clear a set': () => set.clear(),
        'clear a list': () => list.clear(),
      };
      for (const [title, write] of Object.entries(writes)) {
        this.#attempt(`${name}: ${title}`, write);
      }
    }
  }

  #writeVectors(keyspace: Keyspace, name: 'vectors' | 'long vectors'): void {
    const writes: Record<string, () => unknown> = {
      'vset anew': () => keyspace.vset(keyAt(name, 8), vectorAt(name, 1)),
      'vset a new key': () => keyspace.vset(keyAt(name, 20_000), vectorAt(name, 2)),
      vdel: () => [7, 11, 0, 20_000].map((index) => keyspace.vdel(keyAt(name, index))),
      del: () => keyspace.del(keyAt(name, 13)),
      'del a range': () => keyspace.delRange({ gte: keyAt(name, 15), lt: keyAt(name, 23) }),
      'search what was written': () => keyspace.vsearch(vectorAt(name, 1), { metric: 'l2' }),
      'vdel the last': () => keyspace.vdel(keyAt(name, 899)),
    };
    for (const [title, write] of Object.entries(writes)) this.#attempt(`${name}: ${title}`, write);
    this.#attempt(`${name}: delete everything`, () => {
      if (name === 'long vectors') keyspace.delRange({});
    });
  }

  #writeKeyspace(keyspace: AnyKeyspace, name: string): void {
    const key = (index: number): string => keyAt(name, index);
    const writes: Record<string, () => unknown> = {
      'set anew': () => keyspace.set(key(3), 'a new value'),
      'set a longer value': () => keyspace.set(key(5), 'z'.repeat(700)),
      'set a long value': () => keyspace.set(key(9), 'z'.repeat(20_000)),
      'set a new key': () => keyspace.set(`${key(4)} and more`, 5),
      'set a first key': () => keyspace.set(' ', 5, { ttl: 100 }),
      'set a last key': () => keyspace.set('zzz', new Uint8Array(100)),
      incr: () => keyspace.incr(key(14)),
      expire: () => keyspace.expire(key(8), 50),
      persist: () => keyspace.persist(key(1)),
      del: () => keyspace.del(key(10)),
      'del an overflow value': () => keyspace.del(key(20)),
      'del a range': () => keyspace.delRange({ gte: key(20), lt: key(50) }),
      purge: () => keyspace.purgeExpired(),
    };
    for (const [title, write] of Object.entries(writes)) this.#attempt(`${name}: ${title}`, write);
    this.#attempt(`${name}: batch`, () => {
      keyspace.batch((writer) => {
        for (let index = 0; index < 30; index++) writer.set(key(index * 3), `${index}`.repeat(40));
        keyspace.batch(() => writer.del(key(6)));
        keyspace.count();
        keyspace.range().take(5).toArray();
      });
    });
    this.#attempt(`${name}: delete everything`, () => {
      if (name === 'expiring') keyspace.delRange({});
    });
  }
}

/** Takes the pages that the file says are free. */
function fillAnew(database: Database): void {
  database.keyspace('new').batch((writer) => {
    for (let index = 0; index < 60; index++) writer.set(`new ${index}`, 'n'.repeat(600));
  });
}
