/**
 * Searches to try, and how each comes to its order.
 */
import { useState } from 'preact/hooks';
import type {
  ExplainedHit,
  HybridAnswer,
  Overview,
  QueryTerm,
  TextAnswer,
  VectorAnswer,
} from '../answers.ts';
import { type Asked, type Parameters, useAnswer } from './ask.ts';
import { Card, Choice, Failure, Input } from './bits.tsx';
import { colourOf, short, whole } from './format.ts';

const METRICS = ['cosine', 'dot', 'l2'] as const;

export function SearchView({ overview }: { overview: Overview }) {
  const texts = overview.keyspaces.flatMap((it) => (it.kind === 'text' ? [it.name] : []));
  const vectors = overview.keyspaces.flatMap((it) => {
    return it.kind === 'values' && it.vectors > 0 && it.keyKind === 'text' ? [it.name] : [];
  });
  const modes = [
    ...(texts.length > 0 ? (['words'] as const) : []),
    ...(vectors.length > 0 ? (['vectors'] as const) : []),
    ...(texts.length > 0 && vectors.length > 0 ? (['both'] as const) : []),
  ];
  const [wanted, setMode] = useState<'words' | 'vectors' | 'both'>('words');
  const mode = modes.includes(wanted) ? wanted : modes[0];
  if (mode === undefined)
    return <p class="quiet">There are no documents and no vectors to search.</p>;
  return (
    <>
      <div class="tabs" role="tablist">
        {modes.map((it) => (
          <button
            key={it}
            type="button"
            role="tab"
            aria-selected={it === mode}
            class={it === mode ? 'tab chosen' : 'tab'}
            onClick={() => setMode(it)}
          >
            {it}
          </button>
        ))}
      </div>
      {mode === 'words' && <TextSearch names={texts} />}
      {mode === 'vectors' && <VectorSearch names={vectors} />}
      {mode === 'both' && <BothSearch texts={texts} vectors={vectors} />}
    </>
  );
}

/** Asks once there is something to ask for. */
function useSearch<T>(kind: string, isReady: boolean, parameters: Parameters): Asked<T> {
  return useAnswer<T>(isReady ? `search/${kind}` : undefined, parameters);
}

function TextSearch({ names }: { names: readonly string[] }) {
  const [name, setName] = useState(names[0] as string);
  const [query, setQuery] = useState('');
  const [operator, setOperator] = useState<'or' | 'and'>('or');
  const [k1, setK1] = useState('');
  const [b, setB] = useState('');
  const parameters = { keyspace: name, q: query, operator, k1, b };
  const { answer, failure } = useSearch<TextAnswer>('text', query.trim() !== '', parameters);
  return (
    <Card>
      <div class="fields">
        <Choice label="documents" value={name} options={names} onChange={setName} />
        <Input label="words" value={query} onInput={setQuery} placeholder="what to look for" />
        <Choice label="find" value={operator} options={['or', 'and']} onChange={setOperator} />
        <Input
          label="k1"
          value={k1}
          onInput={setK1}
          placeholder={String(answer?.k1 ?? 1.2)}
          isNumber
        />
        <Input
          label="b"
          value={b}
          onInput={setB}
          placeholder={String(answer?.b ?? 0.75)}
          isNumber
        />
      </div>
      <Failure text={failure} />
      {answer !== undefined && query.trim() !== '' && <TextHits answer={answer} />}
    </Card>
  );
}

function TextHits({ answer }: { answer: TextAnswer }) {
  const { terms, hits, documents, averageLength, tookMs } = answer;
  const most = hits[0]?.score ?? 1;
  return (
    <>
      <ul class="terms" aria-label="analysed words">
        {terms.map((term, place) => (
          <li key={place} style={{ borderColor: colourOf(place) }}>
            <b>{term.kind === 'prefix' ? `${term.text}*` : term.text}</b> {saidOf(term)}
          </li>
        ))}
      </ul>
      <p class="quiet">
        {short(tookMs)} ms; {whole(documents)} documents of {short(averageLength)} terms on average
      </p>
      <ol class="hits">
        {hits.map((hit) => (
          <li key={hit.key}>
            <span class="score">{hit.score.toFixed(4)}</span> <b>{hit.key}</b>{' '}
            <span class="quiet">{whole(hit.length)} terms</span>
            <Parts hit={hit} terms={terms} most={most} />
            <p class="snippet">{marked(hit.snippet)}</p>
          </li>
        ))}
      </ol>
      {hits.length === 0 && <p class="quiet">Nothing has these words.</p>}
    </>
  );
}

function saidOf({ documents, idf }: QueryTerm): string {
  if (documents === undefined || idf === undefined) return 'in no document';
  return `in ${whole(documents)} documents, idf ${idf.toFixed(3)}`;
}

interface PartsProps {
  readonly hit: ExplainedHit;
  readonly terms: readonly QueryTerm[];
  readonly most: number;
}

/** A score as the sum of what each term adds. */
function Parts({ hit, terms, most }: PartsProps) {
  return (
    <span class="bar parts">
      {hit.parts.map((part, place) => {
        if (part === null) return null;
        const said = `${terms[place]?.text}: ${part.score.toFixed(4)}, ${part.frequency} times`;
        const width = `${(part.score / most) * 100}%`;
        return <span key={place} title={said} style={{ width, background: colourOf(place) }} />;
      })}
    </span>
  );
}

function marked(snippet: string) {
  return snippet.split('\u0002').map((piece, place) => {
    const [word, rest] = place === 0 ? [undefined, piece] : piece.split('\u0003');
    return (
      <span key={place}>
        {word !== undefined && <mark>{word}</mark>}
        {rest}
      </span>
    );
  });
}

function VectorSearch({ names }: { names: readonly string[] }) {
  const [name, setName] = useState(names[0] as string);
  const [query, setQuery] = useState('');
  const [metric, setMetric] = useState<(typeof METRICS)[number]>('cosine');
  const isReady = query.trim() !== '';
  const { answer, failure } = useSearch<VectorAnswer>('vector', isReady, {
    keyspace: name,
    q: query,
    metric,
  });
  const scores = answer?.hits.map(({ score }) => score) ?? [];
  const [low, high] = [Math.min(0, ...scores), Math.max(1e-12, ...scores)];
  return (
    <Card>
      <div class="fields">
        <Choice label="vectors of" value={name} options={names} onChange={setName} />
        <Input
          label="a key, or numbers"
          value={query}
          onInput={setQuery}
          placeholder="ada, or 0.5,1,-2"
        />
        <Choice label="metric" value={metric} options={METRICS} onChange={setMetric} />
      </div>
      <Failure text={isReady ? failure : undefined} />
      {answer !== undefined && isReady && (
        <>
          <p class="quiet">
            {short(answer.tookMs)} ms;{' '}
            {answer.metric === 'dot' ? 'the highest product' : 'the least distance'} first
          </p>
          <ol class="hits">
            {answer.hits.map(({ key, score }) => (
              <li key={key}>
                <span class="score">{score.toFixed(4)}</span> <b>{key}</b>
                <span class="bar parts">
                  <span
                    style={{
                      width: `${((score - low) / (high - low)) * 100}%`,
                      background: colourOf(0),
                    }}
                  />
                </span>
              </li>
            ))}
          </ol>
        </>
      )}
    </Card>
  );
}

function BothSearch({ texts, vectors }: { texts: readonly string[]; vectors: readonly string[] }) {
  const [name, setName] = useState(texts[0] as string);
  const [other, setOther] = useState(vectors[0] as string);
  const [query, setQuery] = useState('');
  const [vector, setVector] = useState('');
  const [k, setK] = useState('');
  const isReady = query.trim() !== '' && vector.trim() !== '';
  const parameters = { keyspace: name, vectors: other, q: query, vector, k };
  const { answer, failure } = useSearch<HybridAnswer>('hybrid', isReady, parameters);
  return (
    <Card>
      <div class="fields">
        <Choice label="documents" value={name} options={texts} onChange={setName} />
        <Input label="words" value={query} onInput={setQuery} placeholder="what to look for" />
        <Choice label="vectors of" value={other} options={vectors} onChange={setOther} />
        <Input
          label="a key, or numbers"
          value={vector}
          onInput={setVector}
          placeholder="ada, or 0.5,1,-2"
        />
        <Input label="k" value={k} onInput={setK} placeholder="60" isNumber />
      </div>
      <Failure text={isReady ? failure : undefined} />
      {answer !== undefined && isReady && <Fused answer={answer} />}
    </Card>
  );
}

function Fused({ answer }: { answer: HybridAnswer }) {
  const { hits, k, textWeight, vectorWeight, terms, tookMs } = answer;
  const most = hits[0]?.score ?? 1;
  const share = (weight: number, rank: number | undefined) =>
    rank === undefined ? 0 : weight / (k + rank);
  return (
    <>
      <p class="quiet">
        {short(tookMs)} ms; words: {terms.join(', ')}. A score is the sum of weight / ({k} + rank).
      </p>
      <table class="fused">
        <thead>
          <tr>
            <th>key</th>
            <th class="number">score</th>
            <th>of words, of vectors</th>
            <th class="number">rank by words</th>
            <th class="number">BM25</th>
            <th class="number">rank by vectors</th>
            <th class="number">distance</th>
          </tr>
        </thead>
        <tbody>
          {hits.map((hit) => (
            <tr key={hit.key}>
              <td>
                <b>{hit.key}</b>
              </td>
              <td class="number">{hit.score.toFixed(5)}</td>
              <td>
                <span class="bar parts">
                  <span
                    style={{
                      width: `${(share(textWeight, hit.textRank) / most) * 100}%`,
                      background: colourOf(0),
                    }}
                  />
                  <span
                    style={{
                      width: `${(share(vectorWeight, hit.vectorRank) / most) * 100}%`,
                      background: colourOf(1),
                    }}
                  />
                </span>
              </td>
              <td class="number">{hit.textRank ?? '–'}</td>
              <td class="number">{hit.textScore?.toFixed(4) ?? '–'}</td>
              <td class="number">{hit.vectorRank ?? '–'}</td>
              <td class="number">{hit.vectorScore?.toFixed(4) ?? '–'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
