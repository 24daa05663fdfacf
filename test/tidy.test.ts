/**
 * Enforces how MNEME is written: which floor may import which, and how large and plain a file is.
 *
 * The floors are what keep a database of many parts readable, and nobody notices a wrong import in
 * review; so a machine looks. Every failure names the file and the line. Each rule is a function of
 * a path and a text, and the last test feeds every rule an offence, lest a rule fall asleep.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

const LINES_PER_FILE_MAX = 400;
const COLUMNS_MAX = 100;
const LINES_PER_FUNCTION_MAX = 60;
const HEADER_WORDS_MIN = 2;

/** A path within the project, with forward slashes, and what the file holds. */
interface SourceFile {
  path: string;
  text: string;
}
interface Import {
  line: number;
  /** The path of a file of ours, or the name of a package. */
  target: string;
}
type Rule = (file: SourceFile) => string[];

// ------------------------------------------------------------------------------ floors

/** The first match counts. */
const FLOORS: readonly (readonly [pattern: RegExp, floor: number])[] = [
  [/^src\/(index|crypto)\.ts$/, 9],
  [/^src\/cli\/[^/]+\.ts$/, 8],
  [/^src\/cli\/serve\/page\//, 7.8],
  [/^src\/cli\/serve\//, 7.5],
  [/^src\/api\//, 7],
  [/^src\/(writer|reader)\/[^/]+\.ts$/, 6],
  [/^src\/(writer|reader|shared)\/keyspaces\//, 5],
  [/^src\/(writer|reader|shared)\/tree\//, 4],
  [/^src\/(writer|reader|shared)\/pages\//, 3],
  [/^src\/shared\/memory\//, 2],
  [/^src\/shared\/bytes\//, 1],
  [/^src\/kernels\//, 1],
  [/^src\/shared\/[^/]+\.ts$/, 0],
];
/** The one file of the api that may hold an engine, for runtimes without workers. */
const INLINE_WRITER = 'src/api/inline-writer.ts';

const floorOf = (path: string): number | undefined =>
  FLOORS.find(([pattern]) => pattern.test(path))?.[1];
const sideOf = (path: string): string => path.split('/')[1] ?? '';
const isAssembly = (path: string): boolean => path.startsWith('src/kernels/assembly/');

/** Why `source` may not import `target`; undefined when it may. */
function importFault(source: string, target: string): string | undefined {
  const [sourceFloor, targetFloor] = [floorOf(source), floorOf(target)];
  if (sourceFloor === undefined) return `${source} stands on no floor`;
  if (targetFloor === undefined) return `${target} stands on no floor`;
  const [from, to] = [sideOf(source), sideOf(target)];
  if (from === 'writer' && to === 'reader') return 'writer/ never imports reader/';
  if (from === 'reader' && to === 'writer') return 'reader/ never imports writer/';
  if (from === 'shared' && (to === 'writer' || to === 'reader'))
    return `shared/ never imports ${to}/`;
  if (from === 'api' && to === 'writer' && source !== INLINE_WRITER)
    return 'api/ never imports writer/';
  if (from === 'kernels' && to !== 'kernels') return 'kernels/ import nothing';
  if (posix.dirname(source) === posix.dirname(target)) return undefined;
  if (targetFloor < sourceFloor) return undefined;
  const isOwnFloorOfShared =
    targetFloor === sourceFloor && to === 'shared' && (from === 'writer' || from === 'reader');
  return isOwnFloorOfShared ? undefined : `floor ${sourceFloor} imports from floor ${targetFloor}`;
}

// ------------------------------------------------------------------------------ parsing

const parse = ({ path, text }: SourceFile): ts.SourceFile =>
  ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);

function lineOf(node: ts.Node): number {
  const source = node.getSourceFile();
  return source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
}

/** Calls `visit` for every node of the file. */
function walk(source: ts.SourceFile, visit: (node: ts.Node) => void): void {
  const pending: ts.Node[] = [source];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    visit(node);
    ts.forEachChild(node, (child) => void pending.push(child));
  }
}

/** The module that a node names: import, export from, import() as value and as type. */
function moduleOf(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isExternalModuleReference(node)) return node.expression;
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
    return node.argument.literal;
  const isCall = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;
  return isCall ? node.arguments[0] : undefined;
}

function importsOf(file: SourceFile): Import[] {
  const imports: Import[] = [];
  walk(parse(file), (node) => {
    const name = moduleOf(node);
    if (name === undefined || !ts.isStringLiteralLike(name)) return;
    const target = name.text.startsWith('.')
      ? posix.join(posix.dirname(file.path), name.text.replace(/\.js$/, '.ts'))
      : name.text;
    imports.push({ line: lineOf(name), target });
  });
  return imports.sort((left, right) => left.line - right.line);
}

// ------------------------------------------------------------------------------ rules

const importRule: Rule = (file) => {
  if (floorOf(file.path) === undefined) return [`${file.path}:1 stands on no floor`];
  return importsOf(file)
    .filter(({ target }) => target.startsWith('src/'))
    .map(({ line, target }) => ({ line, target, fault: importFault(file.path, target) }))
    .filter(({ fault }) => fault !== undefined)
    .map(({ line, target, fault }) => `${file.path}:${line} ${target}: ${fault}`);
};

/** Each cycle of imports once, as the line that closes it and the way round. */
function cyclesOf(files: readonly SourceFile[]): string[] {
  const imports = new Map(files.map((file) => [file.path, importsOf(file)]));
  const finished = new Set<string>();
  const found: string[] = [];
  for (const start of imports.keys()) {
    const trail: { path: string; next: number }[] = [];
    if (!finished.has(start)) trail.push({ path: start, next: 0 });
    for (let step = trail.at(-1); step !== undefined; step = trail.at(-1)) {
      const edge = imports.get(step.path)?.[step.next];
      step.next += 1;
      if (edge === undefined) {
        finished.add(step.path);
        trail.pop();
        continue;
      }
      const way = trail.map(({ path }) => path);
      const first = way.indexOf(edge.target);
      if (first >= 0) {
        const round = [...way.slice(first), edge.target].join(' -> ');
        found.push(`${step.path}:${edge.line} closes a cycle: ${round}`);
      } else if (imports.has(edge.target) && !finished.has(edge.target)) {
        trail.push({ path: edge.target, next: 0 });
      }
    }
  }
  return found;
}

const headerRule: Rule = ({ path, text }) => {
  // What runs as a command has to begin with how.
  const header = /^(?:#!.*\n)?\/\*\*([\s\S]*?)\*\//.exec(text)?.[1] ?? '';
  const words = header.match(/\p{L}[\p{L}\p{N}'-]*/gu) ?? [];
  return words.length >= HEADER_WORDS_MIN ? [] : [`${path}:1 does not say why the file exists`];
};

const sizeRule: Rule = ({ path, text }) => {
  const lines = text.replace(/\n$/, '').split('\n');
  const wide = lines.flatMap((line, index) =>
    [...line].length > COLUMNS_MAX ? [`${path}:${index + 1} has ${[...line].length} columns`] : [],
  );
  if (lines.length <= LINES_PER_FILE_MAX) return wide;
  return [...wide, `${path}:${lines.length} the file has more than ${LINES_PER_FILE_MAX} lines`];
};

const functionRule: Rule = (file) => {
  const found: string[] = [];
  walk(parse(file), (node) => {
    if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return;
    const last = node.getSourceFile().getLineAndCharacterOfPosition(node.getEnd()).line + 1;
    const count = last - lineOf(node) + 1;
    if (count > LINES_PER_FUNCTION_MAX) {
      found.push(`${file.path}:${lineOf(node)} a function of ${count} lines`);
    }
  });
  return found;
};

/** A file that a tool loads by its default export. */
const isToolConfig = (path: string): boolean => /^[\w-]+\.config\.ts$/.test(path);

const plainnessRule: Rule = (file) => {
  const found: string[] = [];
  walk(parse(file), (node) => {
    const report = (what: string): void => void found.push(`${file.path}:${lineOf(node)} ${what}`);
    if (node.kind === ts.SyntaxKind.AnyKeyword) report('any');
    if (ts.isEnumDeclaration(node)) report('enum');
    const isDefault =
      (ts.isExportAssignment(node) && node.isExportEquals !== true) ||
      (ts.isExportSpecifier(node) && node.name.text === 'default') ||
      (node.kind === ts.SyntaxKind.DefaultKeyword && !ts.isDefaultClause(node.parent));
    if (isDefault && !isToolConfig(file.path)) report('default export');
  });
  return found;
};

// Written in two halves, so that this file keeps its own rule.
const UNFINISHED = new RegExp(`\\b(${['TO', 'DO'].join('')}|${['FIX', 'ME'].join('')})\\b`);

/** Host names of package registries, and paths that exist on one machine only. */
const FORBIDDEN: readonly (readonly [pattern: RegExp, what: string])[] = [
  [
    /\b(?:registry|artifactory|nexus|verdaccio|npm|packages)\.(?:[\w-]+\.)+[a-z]{2,}\b/i,
    'a registry',
  ],
  [/\b(?:[\w-]+\.)?(?:npmjs|yarnpkg|npmmirror)\.(?:org|com)\/(?!package\b)/i, 'a registry'],
  [/"resolved":\s*"https?:/, 'a registry'],
  [/^\s*(?:@[\w-]+:)?registry\s*=/, 'a registry'],
  [/(?:^|[\s"'`(=:,])\/(?:home|Users|root|work|tmp|mnt|opt|srv|var)\/[\w.-]/, 'a machine path'],
  [/\b[A-Z]:\\(?:Users|home|work|temp)\\/i, 'a machine path'],
];

function matchingLines(file: SourceFile, pattern: RegExp, what: string): string[] {
  return file.text
    .split('\n')
    .flatMap((line, index) => (pattern.test(line) ? [`${file.path}:${index + 1} ${what}`] : []));
}

const unfinishedRule: Rule = (file) => matchingLines(file, UNFINISHED, 'unfinished work');

const forbiddenRule: Rule = (file) =>
  FORBIDDEN.flatMap(([pattern, what]) => matchingLines(file, pattern, what));

// ------------------------------------------------------------------------------ the outside

const OUTSIDE = /^src\/(?:api\/|cli\/|shared\/system\.ts$|shared\/pages\/node-storage\.ts$)/;
const OUTSIDE_MODULES = /^(?:node:)?(?:fs|fs\/promises|perf_hooks)$/;

/** What a name is read from: `owner.name`; undefined for a name that stands alone. */
function ownerOf(name: ts.Identifier): string | undefined {
  const { parent } = name;
  if (ts.isPropertyAccessExpression(parent) && parent.name === name) {
    return parent.expression.getText();
  }
  const isOnlyNamed =
    (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent)) && parent.name === name;
  return isOnlyNamed ? 'property' : undefined;
}

/** Files, time and chance are handed in, so that a test can play them. */
const outsideRule: Rule = (file) => {
  if (OUTSIDE.test(file.path)) return [];
  const found = importsOf(file)
    .filter(({ target }) => OUTSIDE_MODULES.test(target))
    .map(({ line, target }) => `${file.path}:${line} ${target}`);
  walk(parse(file), (node) => {
    if (!ts.isIdentifier(node)) return;
    const owner = ownerOf(node);
    const isGlobal = owner === undefined || owner === 'globalThis';
    const isTime = isGlobal && (node.text === 'Date' || node.text === 'performance');
    const isChance = owner === 'Math' && node.text === 'random';
    if (isTime || isChance) found.push(`${file.path}:${lineOf(node)} ${node.text}`);
  });
  return found;
};

// ------------------------------------------------------------------------------ the project

const ROOT = fileURLToPath(new URL('../', import.meta.url));
/** A NUL byte tells a binary file, as git tells one. */
const BINARY = '\0';

/** What no one writes by hand; for a tree that comes without git. */
const MADE = /(?:^|\/)(?:node_modules|dist|\.git)\/|^bench\/results\/|\/simd-bytes\.ts$/;

/** What git keeps or would keep: ignored files, such as generated ones, are nobody's to tidy. */
function projectPaths(): string[] {
  if (!existsSync(`${ROOT}.git`)) {
    const paths = readdirSync(ROOT, { recursive: true, encoding: 'utf8' });
    return paths.map((path) => path.replaceAll('\\', '/')).filter((path) => !MADE.test(path));
  }
  // A checkout may belong to another user than the one who tests it.
  const list = ['-c', 'safe.directory=*', 'ls-files', '-z'];
  const kinds = ['--cached', '--others', '--exclude-standard'];
  const names = execFileSync('git', [...list, ...kinds], { cwd: ROOT, encoding: 'utf8' });
  return names.split('\0').filter((path) => path !== '');
}

function projectFiles(): SourceFile[] {
  return projectPaths()
    .filter((path) => existsSync(ROOT + path) && statSync(ROOT + path).isFile())
    .map((path) => ({ path, text: readFileSync(ROOT + path, 'utf8') }))
    .filter(({ text }) => !text.includes(BINARY));
}

const files = projectFiles();
const code = files.filter(({ path }) => /\.(tsx?|mts|js|mjs)$/.test(path));
const typescript = code.filter(({ path }) => /\.tsx?$/.test(path) && !isAssembly(path));
const ours = code.filter(({ path }) => path.startsWith('src/') && /\.tsx?$/.test(path));
const source = ours.filter(({ path }) => !isAssembly(path));

test('there is a project to look at', () => {
  expect(source.length).toBeGreaterThan(0);
});

test.each<[string, readonly SourceFile[], Rule]>([
  [
    'an import goes down a floor, stays in its folder, or meets shared/ on its own',
    source,
    importRule,
  ],
  ['every source file says first why it exists', ours, headerRule],
  ['a file fits 400 lines of 100 columns', code, sizeRule],
  ['a function fits 60 lines', source, functionRule],
  ['there is no any, no enum and no default export', typescript, plainnessRule],
  ['nothing is left unfinished', code, unfinishedRule],
  ['files, time and chance come in by their few doors', source, outsideRule],
  ['no file names a registry or the path of a machine', files, forbiddenRule],
])('%s', (_title, subjects, rule) => {
  expect(subjects.flatMap(rule)).toEqual([]);
});

test('no imports go in a circle, types included', () => {
  expect(cyclesOf(source)).toEqual([]);
});

// ------------------------------------------------------------------------------ the rules

test.each<[string, Rule, string, string]>([
  ['up a floor', importRule, 'src/shared/tree/a.ts', "import '../keyspaces/b.js';"],
  ['writer to reader', importRule, 'src/writer/a.ts', "export * from '../reader/b.js';"],
  ['reader to writer', importRule, 'src/reader/a.ts', "import '../writer/tree/b.js';"],
  ['api to writer', importRule, 'src/api/a.ts', "const b = import('../writer/b.js');"],
  ['shared to writer', importRule, 'src/shared/tree/a.ts', "import '../../writer/pages/b.js';"],
  ['a type up a floor', importRule, 'src/shared/a.ts', "type B = import('./bytes/b.js').B;"],
  ['a folder on no floor', importRule, 'src/helpers/a.ts', ''],
  ['no header', headerRule, 'src/shared/a.ts', "import './b.js';\n/** Too late for this. */"],
  ['a long line', sizeRule, 'src/a.ts', 'x'.repeat(101)],
  ['a long file', sizeRule, 'src/a.ts', '\n'.repeat(401)],
  ['a long function', functionRule, 'src/a.ts', `const a = () => {${'\n'.repeat(60)}};`],
  ['any', plainnessRule, 'src/a.ts', 'const a: any = 1;'],
  ['an enum', plainnessRule, 'src/a.ts', 'enum A { B }'],
  ['a default export', plainnessRule, 'src/a.ts', 'export default function a() {}'],
  ['unfinished work', unfinishedRule, 'src/a.ts', `// ${['TO', 'DO'].join('')}: later`],
  ['node:fs', outsideRule, 'src/reader/a.ts', "import { openSync } from 'node:fs';"],
  ['Date', outsideRule, 'src/writer/a.ts', 'const now = Date.now();'],
  ['Math.random', outsideRule, 'src/writer/a.ts', 'const chance = Math.random();'],
  ['performance', outsideRule, 'src/writer/a.ts', 'globalThis.performance.now();'],
  [
    'a registry',
    forbiddenRule,
    'a.json',
    `"https://${['registry', 'example', 'org'].join('.')}/a"`,
  ],
  ['a machine path', forbiddenRule, 'README.md', `see ${['', 'home', 'somebody', 'a'].join('/')}`],
])('the rules see %s', (_title, rule, path, text) => {
  expect(rule({ path, text })).not.toEqual([]);
});

test('the rules see a circle of types, and let the allowed ways pass', () => {
  const circle = [
    { path: 'src/shared/a.ts', text: "import type { B } from './b.js';" },
    { path: 'src/shared/b.ts', text: "import type { A } from './a.js';" },
  ];
  expect(cyclesOf(circle)).toHaveLength(1);
  expect(importFault('src/writer/tree/tree-writer.ts', 'src/shared/tree/node.ts')).toBeUndefined();
  expect(importFault('src/writer/worker.ts', 'src/writer/engine.ts')).toBeUndefined();
  expect(importFault(INLINE_WRITER, 'src/writer/engine.ts')).toBeUndefined();
  expect(importFault('src/api/snapshot.ts', 'src/reader/pool.ts')).toBeUndefined();
});
