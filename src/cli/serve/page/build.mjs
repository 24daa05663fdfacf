/**
 * Bundles the page with its styles into one file of HTML, which asks for nothing else.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const target = here('../../../../dist/cli/serve/page.html');

const { outputFiles } = await build({
  entryPoints: [here('./main.tsx')],
  outdir: here('.'),
  bundle: true,
  minify: true,
  write: false,
  format: 'iife',
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  tsconfigRaw: {},
});
const textOf = (ending) => outputFiles.find(({ path }) => path.endsWith(ending))?.text ?? '';
// What would end the element that it stands in.
const script = textOf('.js').replaceAll('</script', '<\\/script');
const html = readFileSync(here('./page.html'), 'utf8')
  .replace('/* styles */', () => textOf('.css').replaceAll('</style', '<\\/style'))
  .replace('/* script */', () => script);
mkdirSync(here('../../../../dist/cli/serve/'), { recursive: true });
writeFileSync(target, html);
