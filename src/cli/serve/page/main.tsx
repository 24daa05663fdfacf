/**
 * The page: a list of views, and the one that is looked at. It looks every other second whether
 * something was committed, and shows the newest state.
 */
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Live, Overview } from '../answers.ts';
import { ask, useAnswer } from './ask.ts';
import { Failure } from './bits.tsx';
import { ExpiryView } from './expiry-view.tsx';
import { KeysView } from './keys-view.tsx';
import { type LiveReading, LiveView } from './live-view.tsx';
import { MapView } from './map-view.tsx';
import { OverviewView } from './overview-view.tsx';
import { SearchView } from './search-view.tsx';
import './page.css';

const VIEWS = ['Overview', 'Map', 'Keys', 'Search', 'Expiry', 'Live'] as const;
type View = (typeof VIEWS)[number];
const LOOK_MS = 2000;
const WATCH_MS = 1000;
/** As long as the charts are. */
const READINGS_MAX = 120;
const THEMES = ['light dark', 'light', 'dark'];

function Page() {
  const [view, setView] = useState<View>('Overview');
  const [chosen, setChosen] = useState<string>();
  const [readings, setReadings] = useState<readonly LiveReading[]>([]);
  const isWatched = view === 'Live';
  const { answer, failure, again } = useAnswer<Overview>('overview');
  const [lost, setLost] = useState<string>();
  useEffect(() => {
    const look = async () => {
      try {
        const live = await ask<Live>('live', { probe: isWatched ? 'yes' : undefined });
        setLost(undefined);
        setReadings((before) => [
          ...before.slice(-READINGS_MAX + 1),
          readingOf(live, before.at(-1)),
        ]);
      } catch (error) {
        setLost(error instanceof Error ? error.message : String(error));
      }
    };
    void look();
    const timer = setInterval(look, isWatched ? WATCH_MS : LOOK_MS);
    return () => clearInterval(timer);
  }, [isWatched]);
  const txnId = readings.at(-1)?.txnId;
  useEffect(again, [txnId]);
  const show = (name: string) => {
    setChosen(name);
    setView('Keys');
  };
  return (
    <div class="page">
      <Side view={view} setView={setView} overview={answer} />
      <main>
        <Failure text={failure ?? (lost === undefined ? undefined : `no answer: ${lost}`)} />
        {answer !== undefined && (
          <Shown {...{ view, overview: answer, chosen, setChosen, show, readings }} />
        )}
      </main>
    </div>
  );
}

function readingOf(live: Live, before: LiveReading | undefined): LiveReading {
  const { cache, at, txnId } = live;
  const seconds = before === undefined ? 0 : (at - before.at) / 1000;
  const commits = before === undefined ? 0 : Number(BigInt(txnId) - BigInt(before.txnId));
  const [hits, misses] = [
    cache.hits - (before?.cache.hits ?? cache.hits),
    cache.misses - (before?.cache.misses ?? cache.misses),
  ];
  return { ...live, commitsPerSecond: seconds > 0 ? commits / seconds : 0, hits, misses };
}

interface ShownProps {
  readonly view: View;
  readonly overview: Overview;
  readonly chosen: string | undefined;
  readonly setChosen: (name: string) => void;
  readonly show: (name: string) => void;
  readonly readings: readonly LiveReading[];
}

function Shown({ view, overview, chosen, setChosen, show, readings }: ShownProps) {
  switch (view) {
    case 'Overview':
      return <OverviewView overview={overview} show={show} />;
    case 'Map':
      return <MapView overview={overview} />;
    case 'Keys':
      return <KeysView {...{ overview, chosen, setChosen }} />;
    case 'Search':
      return <SearchView overview={overview} />;
    case 'Expiry':
      return <ExpiryView overview={overview} />;
    case 'Live':
      return <LiveView readings={readings} />;
  }
}

interface SideProps {
  readonly view: View;
  readonly setView: (view: View) => void;
  readonly overview: Overview | undefined;
}

function Side({ view, setView, overview }: SideProps) {
  const [theme, setTheme] = useState(0);
  useEffect(() => {
    document.documentElement.style.colorScheme = THEMES[theme] as string;
  }, [theme]);
  const name = overview?.path.split('/').at(-1) ?? '';
  return (
    <nav>
      <h1>MNEME</h1>
      <p class="path" title={overview?.path}>
        {name}
      </p>
      {overview !== undefined && (
        <p class="mode">{overview.canWrite ? 'values can be changed' : 'read only'}</p>
      )}
      {VIEWS.map((it) => (
        <button
          key={it}
          type="button"
          class={it === view ? 'view chosen' : 'view'}
          aria-current={it === view ? 'page' : undefined}
          onClick={() => setView(it)}
        >
          {it}
        </button>
      ))}
      <button
        type="button"
        class="theme"
        onClick={() => setTheme((theme + 1) % THEMES.length)}
        title="light, dark, or as the system is"
      >
        {['as the system is', 'light', 'dark'][theme]}
      </button>
    </nav>
  );
}

render(<Page />, document.getElementById('page') as HTMLElement);
