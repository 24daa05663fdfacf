/**
 * What the types alone promise: a program that uses the package is checked by the compiler itself,
 * and each line of it that must not compile says so.
 */
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

test('the published types accept what is right and refuse what is wrong', () => {
  const path = fileURLToPath(new URL('./children/types-program.ts', import.meta.url));
  const program = ts.createProgram([path], {
    target: ts.ScriptTarget.ES2023,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
  });
  const messages = ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  expect(messages).toStrictEqual([]);
});
