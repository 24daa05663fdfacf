/**
 * A drawing of the file, page by page, and the figures of its trees.
 */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { MappedUse } from '../../../api/page-map.ts';
import type { MapAnswer, Overview } from '../answers.ts';
import { useAnswer } from './ask.ts';
import { Bar, Card, Failure } from './bits.tsx';
import { bytes, colourOf, percent, resolved, whole } from './format.ts';

/** Of what no keyspace has, by use: variables of the styles. */
const PLAIN: Readonly<Record<string, string>> = {
  meta: '--map-meta',
  'free log': '--map-log',
  free: '--map-free',
  retired: '--map-retired',
  unknown: '--map-unknown',
  catalog: '--map-catalog',
  dropped: '--map-dropped',
};
const EXPLAINED: Readonly<Record<string, string>> = {
  meta: 'metas, from which a file is opened',
  'free log': 'the record of free pages',
  free: 'free, used again by the next writes',
  retired: 'retired: replaced, kept while its state may be read',
  unknown: 'of keyspaces whose key is not here',
  catalog: 'catalog of keyspaces',
  dropped: 'dropped, still to be freed',
};
const CELL_MIN = 4;
const CELL_MAX = 18;
const HEIGHT_MAX = 520;
const WIDTH_UNKNOWN = 800;

/** What a use is called in the legend: pages of a keyspace belong together. */
function groupOf({ use, keyspace, tree }: MappedUse): string {
  return keyspace ?? (use === 'tree' ? (tree as string) : use);
}

export function MapView({ overview }: { overview: Overview }) {
  const { answer, failure, isWaiting } = useAnswer<MapAnswer>('map', { t: overview.info.txnId });
  const places = useMemo(
    () => new Map(overview.keyspaces.map(({ name }, place) => [name, place])),
    [overview],
  );
  if (answer === undefined) {
    return (
      <>
        <Failure text={failure} />
        {isWaiting && <p class="quiet">Every page is being looked at…</p>}
      </>
    );
  }
  const colour = (use: MappedUse): string => {
    const place = use.keyspace === undefined ? undefined : places.get(use.keyspace);
    if (place !== undefined) return colourOf(place);
    return `var(${PLAIN[groupOf(use)] ?? '--map-unknown'})`;
  };
  return (
    <>
      <Failure text={failure} />
      <Card title={`Pages of the file, ${whole(answer.pageCount)} of ${bytes(answer.pageSize)}`}>
        <Drawing map={answer} colour={colour} />
        <Legend map={answer} colour={colour} />
      </Card>
      <Card title="Trees">
        <Trees map={answer} />
      </Card>
    </>
  );
}

interface DrawingProps {
  readonly map: MapAnswer;
  readonly colour: (use: MappedUse) => string;
}

/** As large as there is room, with whole cells. */
function cellSize(width: number, cells: number): number {
  for (let size = CELL_MAX; size > CELL_MIN; size--) {
    const rows = Math.ceil(cells / Math.max(1, Math.floor(width / size)));
    if (rows * size <= HEIGHT_MAX) return size;
  }
  return CELL_MIN;
}

/** Draws the cells in rows of so many, anew whenever light becomes dark. */
function useCells({ map, colour }: DrawingProps, size: number, columns: number) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { cells, uses } = map;
  useEffect(() => {
    const element = canvas.current as HTMLCanvasElement;
    const draw = () => {
      const ratio = window.devicePixelRatio;
      element.width = columns * size * ratio;
      element.height = Math.ceil(cells.length / columns) * size * ratio;
      const context = element.getContext('2d') as CanvasRenderingContext2D;
      context.scale(ratio, ratio);
      const gap = size > 6 ? 1 : 0.5;
      const colours = uses.map((use) => resolved(colour(use)));
      cells.forEach((place, cell) => {
        context.fillStyle = colours[place] as string;
        const [x, y] = [(cell % columns) * size, Math.floor(cell / columns) * size];
        context.fillRect(x, y, size - gap, size - gap);
      });
    };
    draw();
    const watch = new MutationObserver(draw);
    watch.observe(document.documentElement, { attributes: true });
    const media = window.matchMedia('(prefers-color-scheme: dark)');
    media.addEventListener('change', draw);
    return () => {
      watch.disconnect();
      media.removeEventListener('change', draw);
    };
  }, [cells, uses, columns, size, colour]);
  return canvas;
}

function Drawing({ map, colour }: DrawingProps) {
  const place = useRef<HTMLDivElement>(null);
  const [pointed, setPointed] = useState<number>();
  const [width, setWidth] = useState(WIDTH_UNKNOWN);
  const { cells, uses, pagesPerCell, pageCount } = map;
  const size = cellSize(width, cells.length);
  const columns = Math.max(1, Math.floor(width / size));
  const canvas = useCells({ map, colour }, size, columns);
  useEffect(() => {
    const element = place.current as HTMLDivElement;
    const watch = new ResizeObserver(() => setWidth(element.clientWidth));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  const point = (event: MouseEvent) => {
    const cell = Math.floor(event.offsetY / size) * columns + Math.floor(event.offsetX / size);
    setPointed(cell < cells.length ? cell : undefined);
  };
  const use = pointed === undefined ? undefined : uses[cells[pointed] as number];
  const first = (pointed ?? 0) * pagesPerCell;
  const last = Math.min(pageCount, first + pagesPerCell) - 1;
  const [drawnWidth, drawnHeight] = [columns, Math.ceil(cells.length / columns)].map(
    (count) => `${count * size}px`,
  );
  return (
    <div class="map" ref={place}>
      <canvas
        ref={canvas}
        style={{ width: drawnWidth, height: drawnHeight }}
        onMouseMove={point}
        onMouseLeave={() => setPointed(undefined)}
        aria-label="map of the pages of the file"
      />
      <p class="quiet">
        {use === undefined ? hint(pagesPerCell) : `${pagesFrom(first, last)}: ${describe(use)}`}
      </p>
    </div>
  );
}

function hint(pagesPerCell: number): string {
  const what = pagesPerCell === 1 ? 'is a page' : `stands for ${whole(pagesPerCell)} pages`;
  return `Point at a cell; each ${what}.`;
}

function pagesFrom(first: number, last: number): string {
  if (first === last) return `page ${whole(first)}`;
  return `pages ${whole(first)} to ${whole(last)}, most of them`;
}

function describe(use: MappedUse): string {
  if (use.keyspace === undefined) return EXPLAINED[groupOf(use)] ?? groupOf(use);
  return `${use.tree} of ${use.keyspace}`;
}

function Legend({ map, colour }: DrawingProps) {
  const groups = new Map<string, { use: MappedUse; pages: number }>();
  for (const use of map.uses) {
    const known = groups.get(groupOf(use));
    if (known === undefined) groups.set(groupOf(use), { use, pages: use.pages });
    else known.pages += use.pages;
  }
  const shown = [...groups].filter(([, { pages }]) => pages > 0);
  shown.sort(([, a], [, b]) => b.pages - a.pages);
  return (
    <ul class="legend">
      {shown.map(([name, { use, pages }]) => (
        <li key={name}>
          <span class="dot" style={{ background: colour(use) }} />
          {use.keyspace === undefined ? (EXPLAINED[name] ?? name) : name}
          <span class="quiet">
            {whole(pages)} pages, {percent(pages / map.pageCount)}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Trees({ map }: { map: MapAnswer }) {
  const trees = [...map.trees].sort((a, b) => b.leafPages - a.leafPages);
  return (
    <table>
      <thead>
        <tr>
          <th>tree</th>
          <th class="number">depth</th>
          <th class="number">entries</th>
          <th class="number">leaves</th>
          <th class="number">branches</th>
          <th class="number">long values</th>
          <th>fill of the leaves</th>
        </tr>
      </thead>
      <tbody>
        {trees.map((it) => (
          <tr key={`${it.keyspace} ${it.tree}`}>
            <td>
              {it.keyspace === undefined ? '' : `${it.keyspace} · `}
              {it.tree}
            </td>
            <td class="number">{it.depth}</td>
            <td class="number">{whole(it.entries)}</td>
            <td class="number">{whole(it.leafPages)}</td>
            <td class="number">{whole(it.branchPages)}</td>
            <td class="number">{it.extentPages === 0 ? '' : `${whole(it.extentPages)} pages`}</td>
            <td>
              <Bar share={it.fill} colour="var(--accent)" /> {percent(it.fill)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
