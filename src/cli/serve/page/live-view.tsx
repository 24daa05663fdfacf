/**
 * How long operations take, and what is committed, as it happens.
 */
import { type Live, OPERATIONS } from '../answers.ts';
import { Card, type FigureOf, Figures } from './bits.tsx';
import { LineChart } from './charts.tsx';
import { bytes, microseconds, percent, short, whole } from './format.ts';

/** What was read a moment ago, with what has changed since the one before. */
export interface LiveReading extends Live {
  readonly commitsPerSecond: number;
  readonly hits: number;
  readonly misses: number;
}

const COLOURS = ['#5b5bd6', '#d6409f', '#e5484d', '#f76b15', '#30a46c'];

export function LiveView({ readings }: { readings: readonly LiveReading[] }) {
  const last = readings.at(-1);
  if (last === undefined) return <p class="quiet">Nothing was read yet.</p>;
  const times = readings.map(({ at }) => at / 1000);
  const lines = OPERATIONS.map((operation, place) => ({
    label: operation,
    colour: COLOURS[place] as string,
    values: readings.map(({ latencies }) => {
      const { count, p50 } = latencies[operation];
      return count === 0 ? null : p50;
    }),
  }));
  const commits = {
    label: 'commits',
    colour: COLOURS[0] as string,
    values: readings.map((it) => it.commitsPerSecond),
  };
  return (
    <>
      <Card title="Latencies of this page's operations">
        <p class="quiet">
          Measured in the process that serves this page: what you do here, and each second some gets
          and a scan of a hundred keys on up to four keyspaces.
        </p>
        <LineChart {...{ times, lines, unit: 'p50, µs', isLogarithmic: true }} />
        <Operations last={last} />
      </Card>
      <Card title="Commits of whoever writes">
        <LineChart {...{ times, lines: [commits], unit: 'a second' }} />
        <Figures figures={figuresOf(last)} />
      </Card>
    </>
  );
}

function figuresOf(last: LiveReading): FigureOf[] {
  const looks = last.hits + last.misses;
  const hits = looks === 0 ? 'nothing read' : `${percent(last.hits / looks)} hits just now`;
  const live = `${whole(last.livePages)} of ${whole(last.pageCount)} pages live`;
  const commits = `${short(last.commitsPerSecond)} commits a second`;
  return [
    ['Transaction', whole(Number(last.txnId)), commits],
    ['File', bytes(last.fileSize), live],
    ['Cache here', bytes(last.cache.bytes), hits],
  ];
}

function Operations({ last }: { last: LiveReading }) {
  return (
    <table>
      <thead>
        <tr>
          <th>operation</th>
          <th class="number">in the last second</th>
          <th class="number">p50</th>
          <th class="number">p99</th>
          <th class="number">longest</th>
        </tr>
      </thead>
      <tbody>
        {OPERATIONS.map((operation, place) => {
          const { count, p50, p99, max } = last.latencies[operation];
          return (
            <tr key={operation}>
              <td>
                <span class="dot" style={{ background: COLOURS[place] }} />
                {operation}
              </td>
              <td class="number">{whole(count)}</td>
              <td class="number">{microseconds(p50)}</td>
              <td class="number">{microseconds(p99)}</td>
              <td class="number">{microseconds(max)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
