/**
 * The section "Counters and batches" of the contract: batches and savepoints.
 */

import type { Keyspace, KeyspaceWriter, Transaction } from 'mneme';
import { expect, test } from 'vitest';
import { expectCode, memory, openHere, temporaryPath, thrownBy, untyped } from './support.js';

test('a batch returns what its callback returns', () => {
  const database = memory();
  const result = { some: 'object' };
  expect(database.batch(() => result)).toBe(result);
  expect(database.keyspace('a').batch(() => 5)).toBe(5);
  expect(database.batch(() => undefined)).toBeUndefined();
});

test('a batch is one commit, and an empty one is none', () => {
  const database = memory();
  const keyspace = database.keyspace('a');
  keyspace.set('key', 0);
  const before = database.info().txnId;
  database.batch(() => undefined);
  database.batch(() => keyspace.get('key'));
  keyspace.batch(() => undefined);
  expect(database.info().txnId).toBe(before);
  database.batch((transaction) => {
    for (let index = 0; index < 500; index++) {
      transaction.keyspace('a').set(`${index}`, index);
      transaction.keyspace('b').set(`${index}`, 'v'.repeat(index));
    }
  });
  expect(database.info().txnId).toBe(before + 1n);
  expect(database.keyspace('b').count()).toBe(500);
});

test('an error in the callback rolls everything back and comes out as the same object', () => {
  const database = memory();
  const keyspace = database.keyspace('a');
  keyspace.set('kept', 'old');
  keyspace.set('large', 'x'.repeat(50_000));
  const before = database.info().txnId;
  for (const failure of [new Error('mine'), 'no error at all', undefined, { plain: 'object' }]) {
    const run = (): never =>
      database.batch((transaction) => {
        const inside = transaction.keyspace('a');
        inside.set('kept', 'new');
        inside.set('added', 'y'.repeat(50_000));
        inside.del('large');
        transaction.keyspace('b').set('key', 1);
        transaction.dropKeyspace('a');
        expect(inside.count()).toBe(0);
        throw failure;
      });
    expect(thrownBy(run)).toBe(failure);
    expect(keyspace.get('kept')).toBe('old');
    expect(keyspace.get('large')).toBe('x'.repeat(50_000));
    expect(keyspace.count()).toBe(2);
    expect(database.keyspaces()).toStrictEqual(['a']);
  }
  expect(database.info().txnId).toBe(before);
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

test('an error in the callback of a keyspace batch rolls it back', () => {
  const keyspace = memory().keyspace('a');
  keyspace.set('key', 1);
  const failure = new Error('mine');
  const run = (): never =>
    keyspace.batch((writer) => {
      writer.set('key', 2);
      writer.setBytes('bytes', 'b');
      writer.setInteger('integer', 1);
      writer.setFloat('float', 1);
      expect(writer.incr('key')).toBe(3);
      expect(writer.decr('key', 5)).toBe(-2);
      expect(writer.del('bytes')).toBe(true);
      expect(writer.delRange({})).toBe(3);
      throw failure;
    });
  expect(thrownBy(run)).toBe(failure);
  expect(keyspace.range().toArray()).toStrictEqual([['key', 1]]);
});

test('reads inside see the batch and nobody else does before it commits', () => {
  const path = temporaryPath();
  const database = openHere(path);
  const keyspace = database.keyspace('a');
  keyspace.set('old', 1);
  const other = openHere(path, { readonly: true }).keyspace('a');
  database.batch((transaction) => {
    const inside = transaction.keyspace('a');
    inside.set('new', 2);
    inside.set('gone', 3, { ttl: 100 });
    for (const handle of [inside, keyspace]) {
      expect(handle.get('new')).toBe(2);
      expect(handle.count()).toBe(3);
      expect(handle.ttl('gone')).toBeGreaterThan(99);
      expect(handle.getMany(['old', 'new'])).toStrictEqual([1, 2]);
      expect(handle.range({ reverse: true }).next().value).toStrictEqual(['old', 1]);
    }
    expect(inside.del('old')).toBe(true);
    expect(inside.exists('old')).toBe(false);
    expect(inside.persist('gone')).toBe(true);
    expect(inside.expire('gone', -1)).toBe(true);
    expect(inside.typeOf('gone')).toBeUndefined();
    expect(other.range().toArray()).toStrictEqual([['old', 1]]);
  });
  expect(keyspace.range().toArray()).toStrictEqual([['new', 2]]);
});

test('any write through the same database joins the batch that runs', () => {
  const database = memory();
  const keyspace = database.keyspace('a');
  const failure = new Error('mine');
  const run = (): never =>
    keyspace.batch(() => {
      keyspace.set('joined', 1);
      database.keyspace('b').incr('counter');
      database.keyspace('b').batch((writer) => writer.set('nested', 1));
      throw failure;
    });
  expect(thrownBy(run)).toBe(failure);
  expect(keyspace.count()).toBe(0);
  expect(database.keyspaces()).toStrictEqual([]);
});

test('a nested batch that throws undoes itself alone', () => {
  const database = memory();
  const keyspace = database.keyspace('a');
  const failure = new Error('inner');
  database.batch((transaction) => {
    const outer = transaction.keyspace('a');
    outer.set('key', 'outer');
    outer.set('counter', 1);
    const run = (): never =>
      database.batch((nested) => {
        nested.keyspace('a').set('key', 'inner');
        nested.keyspace('a').incr('counter', 10);
        nested.keyspace('b').set('key', 'inner');
        nested.dropKeyspace('a');
        throw failure;
      });
    expect(thrownBy(run)).toBe(failure);
    expect(outer.get('key')).toBe('outer');
    expect(outer.incr('counter')).toBe(2);
    expect(database.keyspaces()).toStrictEqual(['a']);
  });
  expect(keyspace.getMany(['key', 'counter'])).toStrictEqual(['outer', 2]);
});

test('a nested batch that returns goes with the outer one', () => {
  const database = memory();
  const keyspace = database.keyspace('a');
  const failure = new Error('outer');
  const run = (): never =>
    database.batch(() => {
      keyspace.batch((writer) => writer.set('key', 'inner'));
      expect(keyspace.get('key')).toBe('inner');
      throw failure;
    });
  expect(thrownBy(run)).toBe(failure);
  expect(keyspace.get('key')).toBeUndefined();
});

test('savepoints nest deeply and each undoes just its own', () => {
  const database = memory();
  const keyspace = database.keyspace('a');
  const descend = (depth: number): void => {
    database.batch(() => {
      keyspace.set(`level ${depth}`, depth);
      keyspace.set('deepest', depth);
      if (depth < 20) {
        try {
          descend(depth + 1);
        } catch (error) {
          expect(error).toBe(depth + 1);
        }
      }
      if (depth % 5 === 0) throw depth;
    });
  };
  descend(1);
  const levels = keyspace
    .range({ prefix: 'level' })
    .toArray()
    .map(([, value]) => value);
  expect(levels.toSorted()).toStrictEqual([1, 2, 3, 4]);
  expect(keyspace.get('deepest')).toBe(4);
});

test('an error that is caught inside does not spoil the batch', () => {
  const keyspace = memory().keyspace('a');
  keyspace.batch((writer) => {
    writer.set('text', 'text');
    expectCode('ERR_MNEME_TYPE_MISMATCH', () => writer.incr('text'));
    expectCode('ERR_MNEME_KEY_TOO_LARGE', () => writer.set('k'.repeat(1025), 1));
    expect(thrownBy(() => writer.set('key', untyped(null)))).toBeInstanceOf(TypeError);
    writer.set('after', 1);
  });
  expect(keyspace.range().toArray()).toStrictEqual([
    ['after', 1],
    ['text', 'text'],
  ]);
});

test('a returned promise aborts with ERR_MNEME_ASYNC_BATCH', () => {
  const database = memory();
  const keyspace = database.keyspace('a');
  keyspace.set('key', 'old');
  const thenable: unknown = Object.defineProperty({}, 'then', { value: () => undefined });
  for (const returned of [Promise.resolve(5), thenable]) {
    const write = (): never => {
      keyspace.set('key', 'new');
      return untyped(returned);
    };
    expectCode('ERR_MNEME_ASYNC_BATCH', () => database.batch(write));
    expectCode('ERR_MNEME_ASYNC_BATCH', () => keyspace.batch(write));
    expect(keyspace.get('key')).toBe('old');
  }
  expectCode('ERR_MNEME_ASYNC_BATCH', () => database.batch(untyped(async () => undefined)));
  expect(database.batch(() => 'works again')).toBe('works again');
});

test('what a batch gave is closed once it has ended', () => {
  const database = memory();
  const keyspace = database.keyspace('a');
  let transaction: Transaction | undefined;
  let handle: Keyspace | undefined;
  let writer: KeyspaceWriter | undefined;
  database.batch((given) => {
    transaction = given;
    handle = given.keyspace('a');
    handle.set('key', 1);
  });
  keyspace.batch((given) => {
    writer = given;
  });
  expectCode('ERR_MNEME_BATCH_CLOSED', () => transaction!.keyspace('a'));
  expectCode('ERR_MNEME_BATCH_CLOSED', () => transaction!.dropKeyspace('a'));
  expectCode('ERR_MNEME_BATCH_CLOSED', () => handle!.get('key'));
  expectCode('ERR_MNEME_BATCH_CLOSED', () => handle!.set('key', 2));
  expectCode('ERR_MNEME_BATCH_CLOSED', () => handle!.range().toArray());
  expectCode('ERR_MNEME_BATCH_CLOSED', () => handle!.count());
  expectCode('ERR_MNEME_BATCH_CLOSED', () => writer!.set('key', 2));
  expectCode('ERR_MNEME_BATCH_CLOSED', () => writer!.setBytes('key', 'b'));
  expectCode('ERR_MNEME_BATCH_CLOSED', () => writer!.setInteger('key', 2));
  expectCode('ERR_MNEME_BATCH_CLOSED', () => writer!.setFloat('key', 2));
  expectCode('ERR_MNEME_BATCH_CLOSED', () => writer!.incr('key'));
  expectCode('ERR_MNEME_BATCH_CLOSED', () => writer!.decr('key'));
  expectCode('ERR_MNEME_BATCH_CLOSED', () => writer!.del('key'));
  expectCode('ERR_MNEME_BATCH_CLOSED', () => writer!.delRange({}));
  expect(keyspace.get('key')).toBe(1);
});

test('what an aborted batch gave is closed, too, also inside a later batch', () => {
  const database = memory();
  let handle: Keyspace | undefined;
  const run = (): never =>
    database.batch((transaction) => {
      handle = transaction.keyspace('a');
      throw new Error('mine');
    });
  expect(run).toThrow('mine');
  database.batch(() => {
    expectCode('ERR_MNEME_BATCH_CLOSED', () => handle!.set('key', 1));
    expectCode('ERR_MNEME_BATCH_CLOSED', () => handle!.get('key'));
  });
  expect(database.keyspace('a').count()).toBe(0);
});

test('close and sync inside a batch throw ERR_MNEME_BATCH_ACTIVE', () => {
  const database = memory();
  const keyspace = database.keyspace('a');
  database.batch(() => {
    keyspace.set('key', 1);
    expectCode('ERR_MNEME_BATCH_ACTIVE', () => database.close());
    expectCode('ERR_MNEME_BATCH_ACTIVE', () => database.sync());
    keyspace.set('other', 2);
  });
  expect(database.isOpen).toBe(true);
  expect(keyspace.count()).toBe(2);
});

test('an iterator made inside shows the state of that moment', () => {
  const database = memory();
  const keyspace = database.keyspace('a');
  keyspace.set('committed', 0);
  const outside = keyspace.range();
  database.batch(() => {
    keyspace.set('first', 1);
    const early = keyspace.range();
    keyspace.set('first', 'changed');
    keyspace.set('second', 2);
    const late = keyspace.range();
    keyspace.delRange({});
    expect(early.toArray()).toStrictEqual([
      ['committed', 0],
      ['first', 1],
    ]);
    expect(late.toArray()).toStrictEqual([
      ['committed', 0],
      ['first', 'changed'],
      ['second', 2],
    ]);
    expect(outside.toArray()).toStrictEqual([['committed', 0]]);
    expect(keyspace.range().toArray()).toStrictEqual([]);
  });
});

test('an iterator of a batch outlives the rollback of a savepoint', () => {
  const database = memory({ pageSize: 4096, cacheSize: 2 ** 20 });
  const keyspace = database.keyspace('a');
  database.batch(() => {
    for (let index = 0; index < 400; index++) keyspace.set(`${1000 + index}`, index);
    const iterator = keyspace.range();
    iterator.next();
    const run = (): never =>
      database.batch(() => {
        keyspace.delRange({});
        for (let index = 0; index < 400; index++) keyspace.set(`${5000 + index}`, index);
        throw new Error('undone');
      });
    expect(run).toThrow('undone');
    keyspace.delRange({ gte: '1100' });
    expect(iterator.toArray().map(([, value]) => value)).toStrictEqual(
      Array.from({ length: 399 }, (_, index) => index + 1),
    );
  });
  expect(keyspace.count()).toBe(100);
});

test('purging and dropping inside a batch are undone with it', () => {
  let now = 1_750_000_000_000;
  const database = memory({ clock: () => now });
  const keyspace = database.keyspace('a');
  keyspace.batch((writer) => {
    for (let index = 0; index < 100; index++) writer.set(`${index}`, index, { ttl: 1 });
    writer.set('lasting', 1);
  });
  now += 1000;
  const run = (): never =>
    database.batch(() => {
      expect(keyspace.purgeExpired()).toBe(100);
      expect(database.purgeExpired()).toBe(0);
      expect(database.dropKeyspace('a')).toBe(true);
      expect(database.keyspaces()).toStrictEqual([]);
      throw new Error('undone');
    });
  expect(run).toThrow('undone');
  expect(keyspace.get('lasting')).toBe(1);
  expect(keyspace.purgeExpired()).toBe(100);
});

test('a keyspace dropped and written again in one batch holds the new alone', () => {
  const database = memory();
  const keyspace = database.keyspace('a');
  keyspace.set('old', 1);
  database.batch((transaction) => {
    expect(transaction.dropKeyspace('a')).toBe(true);
    expect(transaction.keyspace('a').count()).toBe(0);
    transaction.keyspace('a', { keys: 'bytes' }).set(Uint8Array.of(255), 2);
  });
  const bytes = database.keyspace('a', { keys: 'bytes' });
  expect(bytes.range().toArray()).toStrictEqual([[Uint8Array.of(255), 2]]);
});

test('a batch far larger than the cache commits whole, or not at all', () => {
  const database = openHere(temporaryPath(), { pageSize: 4096, cacheSize: 2 ** 20 });
  const keyspace = database.keyspace('a');
  const write = (writer: KeyspaceWriter, text: string): void => {
    for (let index = 0; index < 8000; index++) writer.set(`${index}`, text.repeat(100));
  };
  keyspace.batch((writer) => write(writer, 'abcdef'));
  const run = (): never =>
    keyspace.batch((writer) => {
      write(writer, 'ghijkl');
      expect(keyspace.get('7999')).toBe('ghijkl'.repeat(100));
      throw new Error('undone');
    });
  expect(run).toThrow('undone');
  expect(keyspace.count()).toBe(8000);
  for (const [, value] of keyspace.range()) {
    if (value !== 'abcdef'.repeat(100)) expect.fail('the batch was not undone');
  }
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

test('a batch without a function is a TypeError', () => {
  const database = memory();
  expect(thrownBy(() => database.batch(untyped(5)))).toBeInstanceOf(TypeError);
  expect(thrownBy(() => database.keyspace('a').batch(untyped(null)))).toBeInstanceOf(TypeError);
  expect(database.batch(() => 'works')).toBe('works');
});
