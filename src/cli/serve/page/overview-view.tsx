/**
 * The file's figures, and its keyspaces with their share of it.
 */
import type { KeyspaceOverview, Overview } from '../answers.ts';
import { Bar, Card, type FigureOf, Figures } from './bits.tsx';
import { bytes, colourOf, percent, short, whole } from './format.ts';

interface OverviewProps {
  readonly overview: Overview;
  readonly show: (name: string) => void;
}

export function OverviewView({ overview, show }: OverviewProps) {
  return (
    <>
      <Card>
        <Figures figures={figuresOf(overview)} />
      </Card>
      <Card title="Keyspaces">
        <Keyspaces {...{ overview, show }} />
      </Card>
    </>
  );
}

function figuresOf({ info, stats, oldestReader }: Overview): FigureOf[] {
  const looks = stats.cache.hits + stats.cache.misses;
  const pages = `${whole(stats.pageCount)} pages of ${bytes(info.pageSize)}`;
  const live = percent(stats.livePages / stats.pageCount);
  const readBy =
    oldestReader === undefined
      ? 'pages, until no reader sees them'
      : `pages; process ${oldestReader.pid} reads ${oldestReader.txnId}`;
  const since = `since ${new Date(info.createdAt).toLocaleDateString()}`;
  const hits = looks === 0 ? 'nothing read yet' : `${percent(stats.cache.hits / looks)} hits`;
  const keys = info.encrypted ? `encrypted for ${info.keySlots} keys` : 'not encrypted';
  return [
    ['File', bytes(stats.fileSize), pages],
    ['Live pages', whole(stats.livePages), live],
    ['Bloat', short(stats.bloatRatio), '1 is a file without waste'],
    ['Reclaimable', whole(stats.reclaimablePages), 'pages, used again by writes'],
    ['Retired', whole(stats.retiredPages), readBy],
    ['Transaction', whole(Number(info.txnId)), since],
    ['Cache here', bytes(stats.cache.bytes), hits],
    ['Format', `version ${info.formatVersion}`, keys],
  ];
}

function Keyspaces({ overview, show }: OverviewProps) {
  const { info, stats, keyspaces } = overview;
  if (keyspaces.length === 0) return <p class="quiet">There are none yet.</p>;
  return (
    <table>
      <thead>
        <tr>
          <th>name</th>
          <th>holds</th>
          <th class="number">pages</th>
          <th class="number">size</th>
          <th>share of the live pages</th>
        </tr>
      </thead>
      <tbody>
        {keyspaces.map((it, place) => (
          <tr key={it.name}>
            <td>
              <button type="button" class="link" onClick={() => show(it.name)}>
                <span class="dot" style={{ background: colourOf(place) }} />
                {it.name}
              </button>
            </td>
            <td class="quiet">{contentOf(it)}</td>
            <td class="number">{it.kind === 'locked' ? '?' : whole(it.pages)}</td>
            <td class="number">{it.kind === 'locked' ? '?' : bytes(it.pages * info.pageSize)}</td>
            <td>
              <Bar share={it.pages / stats.livePages} colour={colourOf(place)} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What is in a keyspace, in words. */
function contentOf(it: KeyspaceOverview): string {
  if (it.kind === 'empty') return 'nothing';
  if (it.kind === 'locked') return 'encrypted; its key is not here';
  const sealed = it.encrypted ? 'encrypted, ' : '';
  if (it.kind === 'text') {
    const terms = `${whole(it.uniqueTerms)} terms (${it.analyzerName})`;
    const words = `${whole(it.documents)} documents, ${terms}`;
    return sealed + (it.pending > 0 ? `${words}, ${whole(it.pending)} not indexed` : words);
  }
  const counts = [
    [it.keys, 'value', 'values'],
    [it.vectors, `vector of ${it.dimension} numbers`, `vectors of ${it.dimension} numbers`],
    [it.sortedSets, 'sorted set', 'sorted sets'],
    [it.lists, 'list', 'lists'],
    [it.deadlines, 'that expires', 'that expire'],
  ] as const;
  const there = counts.filter(([count]) => count > 0);
  return (
    sealed +
    (there.map(([count, one, many]) => `${whole(count)} ${count === 1 ? one : many}`).join(', ') ||
      'nothing')
  );
}
