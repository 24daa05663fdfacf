/**
 * What the samples of the guides compare their values by; test/samples.test.ts puts the calls where
 * the comments are.
 */
import { format, inspect } from 'node:util';

const withoutSpace = (text) => text.replace(/\s/g, '');

/** `…` stands for anything. */
function fits(text, expected) {
  const parts = withoutSpace(expected)
    .split('…')
    .map((part) => part.replace(/\W/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(withoutSpace(text));
}

function compare(text, comment) {
  const explained = comment.slice(0, comment.lastIndexOf(': '));
  if (fits(text, comment) || fits(text, explained)) return;
  throw new Error(`the value is ${text}, and not ${comment}`);
}

/** The value itself, which is as the comment says. */
export function value(actual, comment) {
  compare(inspect(actual, { breakLength: Number.POSITIVE_INFINITY, depth: 9 }), comment);
  return actual;
}

/** What console.log would print of the words. */
export function printed(comment, ...words) {
  compare(format(...words), comment);
}
