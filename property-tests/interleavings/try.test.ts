import { tmpdir } from 'node:os';
import { mkdtempSync } from 'node:fs';
import { test } from 'vitest';
import { rmSync as removeFile } from 'node:fs'; import { runGroup } from './group.js';
import { BREAKAGES, breakRule } from './broken.js';
const which = process.env['W'];
const settings = [
 { title: 'memory full', isFile: false, sync: 'full', clients: [[6,1,1]] },
 { title: 'memory none', isFile: false, sync: 'none', clients: [[6,1,1]] },
 { title: 'file full', isFile: true, sync: 'full', clients: [[6,1],[0]] },
 { title: 'file none', isFile: true, sync: 'none', clients: [[6,1],[0]] },
 { title: 'file full two', isFile: true, sync: 'full', clients: [[6,1],[4]] },
 { title: 'memory full nowasm', isFile: false, sync: 'full', clients: [[6,1,1]], withoutWebAssembly: true },
] as const;
test('try', async () => {
  const list = process.env['B'] !== undefined ? BREAKAGES.filter((_, i) => process.env['B'] === 'all' || process.env['B']!.split(',').includes(String(i))).map(b => [b.setting, b] as const) : which!.split(',').map(w => [Number(w), undefined] as const);
  for (const [w, b] of list) {
  const dist = b && breakRule(b, mkdtempSync(`${tmpdir()}/weave-broken-`));
  const rounds = Number(process.env['R'] ?? 100);
  let total = 0, switches = 0;
  const t = performance.now(); const c = process.cpuUsage();
  for (let seed = Number(process.env['S'] ?? 1);; seed++) {
  const path = `${tmpdir()}/weave-${process.pid}-${w}-${seed}.mneme`;
  const outcome = await runGroup({ setting: settings[w]!, seed, rounds, roundsBetweenKills: Number(process.env['K'] ?? 0), path, ...(dist ? { dist } : {}) });
  removeFile(path);
  total += outcome.rounds; switches += outcome.switches;
  if (outcome.failure || !b || total >= 3000) {
    const u = process.cpuUsage(c);
    console.log(b?.rule ?? settings[w]!.title, '\n  ', outcome.failure?.slice(0, 400), '\n  rounds', total, 'switches', switches, 'kills', outcome.kills, 'trace', outcome.trace, 'gens', outcome.acked, outcome.started, (performance.now() - t).toFixed(0), 'ms wall', ((u.user+u.system)/1000).toFixed(0), 'cpu');
    break;
  }
  }
  }
}, 1000000);
