/**
 * What vectors are refused and how, and that nothing has changed then.
 */
import { expect, test } from 'vitest';
import { expectCode, memory, thrownBy } from './support.js';

function filled() {
  const database = memory({ pageSize: 4096 });
  const keyspace = database.keyspace('a');
  keyspace.vset('east', [1, 0, 0]);
  keyspace.vset('north', [0, 2, 0]);
  keyspace.vset('west', [-3, 0, 0]);
  keyspace.set('east', 'a value');
  return { database, keyspace };
}

test('a new handle and a batch know the dimension too', () => {
  const { database } = filled();
  for (const vector of [[], [1], [1, 2, 3, 4], new Float32Array(16385)]) {
    expectCode('ERR_MNEME_DIMENSION_MISMATCH', () => database.keyspace('a').vset('k', vector));
  }
  const error = thrownBy(() => {
    database.batch(() => {
      database.keyspace('new').vset('k', [1, 2]);
      database.keyspace('new').vset('l', [1]);
    });
  });
  expect(error).toMatchObject({ details: { expected: 2, actual: 1 } });
  expect(database.keyspace('new').vdim()).toBeUndefined();
});
