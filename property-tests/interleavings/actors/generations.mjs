/**
 * What the keyspace holds in a generation: a function of its number, so whatever was read tells by
 * itself which generation it is from, and whether all of it is.
 */
export const KEYS = Array.from(
  { length: 14 },
  (_, index) => `key ${String(index).padStart(2, '0')}`,
);
const LARGE_BYTES = 9000;
const cache = new Map();

function hash(generation, index) {
  let mixed = Math.imul(generation * 31 + index + 1, 0x9e3779b1);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}

/** The first key is always there, with the number; of the others some are missing. */
function valueIn(generation, index) {
  if (index === 0) return `${generation}`;
  const chance = hash(generation, index);
  if (chance % 7 === 0) return undefined;
  const text = `${generation} ${index} `;
  if (index === 5 && chance % 3 === 0) return text.padEnd(LARGE_BYTES + (chance % 4096), 'large ');
  return text.padEnd(10 + (chance % 700), 'small ');
}

/** All values of a generation, undefined where a key is missing. */
export function valuesOf(generation) {
  const known = cache.get(generation);
  if (known !== undefined) return known;
  const values = KEYS.map((_, index) => valueIn(generation, index));
  cache.set(generation, values);
  if (cache.size > 400) cache.delete(cache.keys().next().value);
  return values;
}

export function countOf(generation) {
  return valuesOf(generation).filter((value) => value !== undefined).length;
}

export function entriesOf(generation) {
  const values = valuesOf(generation);
  return KEYS.map((key, index) => [key, values[index]]).filter(([, value]) => value !== undefined);
}

export function assertThat(holds, text) {
  if (!holds) throw new Error(text);
}

const shown = (value) => JSON.stringify(value)?.slice(0, 60);

/** Entries as a range gives them are those of one generation; returns which. */
export function generationOfEntries(entries) {
  assertThat(entries[0]?.[0] === KEYS[0], `a range begins with ${shown(entries[0])}`);
  const generation = Number(entries[0][1]);
  assertEntries(entries, generation);
  return generation;
}

export function assertEntries(entries, generation) {
  const expected = entriesOf(generation);
  expected.forEach(([key, value], index) => {
    const [gotKey, got] = entries[index] ?? [];
    assertThat(gotKey === key, `generation ${generation}: ${gotKey} stands where ${key} should`);
    assertThat(got === value, `generation ${generation}: ${key} is ${shown(got)}`);
  });
  assertThat(entries.length === expected.length, `generation ${generation} has entries to spare`);
}

/** Values as getMany gives them are those of one generation; returns which. */
export function generationOfValues(values) {
  const generation = Number(values[0]);
  assertThat(Number.isInteger(generation), `the generation is ${shown(values[0])}`);
  const expected = valuesOf(generation);
  values.forEach((value, index) => {
    if (value === expected[index]) return;
    throw new Error(`generation ${generation}: ${KEYS[index]} is ${shown(value)}`);
  });
  return generation;
}
