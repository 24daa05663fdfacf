/**
 * When keys expire: how many in each part of the time to come.
 */
import { useState } from 'preact/hooks';
import type { Overview, Timeline } from '../answers.ts';
import { useAnswer } from './ask.ts';
import { Card, Choice, Failure, type FigureOf, Figures } from './bits.tsx';
import { BarChart } from './charts.tsx';
import { seconds, whole } from './format.ts';

const SPANS = { minute: 60, hour: 3600, day: 86_400, month: 2_592_000, year: 31_536_000 } as const;
type Span = keyof typeof SPANS;

export function ExpiryView({ overview }: { overview: Overview }) {
  const names = overview.keyspaces.flatMap((it) => (it.kind === 'values' ? [it.name] : []));
  const withDeadlines = overview.keyspaces.find((it) => it.kind === 'values' && it.deadlines > 0);
  const [chosen, setChosen] = useState(withDeadlines?.name ?? names[0]);
  const [span, setSpan] = useState<Span>('hour');
  const path = chosen === undefined ? undefined : 'expiry';
  const { info } = overview;
  const asked = useAnswer<Timeline>(path, {
    keyspace: chosen,
    seconds: SPANS[span],
    t: info.txnId,
  });
  const { answer, failure } = asked;
  if (chosen === undefined) return <p class="quiet">There are no values that could expire.</p>;
  return (
    <Card title="When keys expire">
      <div class="fields">
        <Choice label="keyspace" value={chosen} options={names} onChange={setChosen} />
        <Choice
          label="in the next"
          value={span}
          options={Object.keys(SPANS) as Span[]}
          onChange={setSpan}
        />
      </div>
      <Failure text={failure} />
      {answer !== undefined && (
        <>
          <BarChart
            times={answer.bars.map((_, bar) => (answer.now + (bar + 0.5) * answer.barMs) / 1000)}
            counts={answer.bars}
            label="keys"
          />
          <Figures figures={figuresOf(answer)} />
        </>
      )}
    </Card>
  );
}

function figuresOf({ bars, barMs, later, expired }: Timeline): FigureOf[] {
  const sum = bars.reduce((count, it) => count + it, 0);
  return [
    ['Expire in this time', whole(sum), `each bar is ${seconds(barMs / 1000)}`],
    ['Later', whole(later), 'keys'],
    ['Have expired', whole(expired), 'keys that writes will purge'],
  ];
}
