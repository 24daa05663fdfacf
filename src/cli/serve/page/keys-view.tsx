/**
 * Keys of a keyspace, a page of them at a time, and what the chosen one holds.
 */
import { useEffect, useState } from 'preact/hooks';
import {
  type KeyspaceOverview,
  type ListedKeys,
  type Overview,
  THINGS,
  type Thing,
  type ViewedKey,
} from '../answers.ts';
import { tell, useAnswer } from './ask.ts';
import { Card, Choice, Failure, Input } from './bits.tsx';
import { EditBox } from './edit-box.tsx';
import { short, whole } from './format.ts';
import { ValueView } from './value-view.tsx';

interface KeysViewProps {
  readonly overview: Overview;
  readonly chosen: string | undefined;
  readonly setChosen: (name: string) => void;
}

/** What there is of a keyspace to be listed. */
function thingsIn(keyspace: KeyspaceOverview | undefined): readonly Thing[] {
  if (keyspace?.kind !== 'values') return ['values'];
  const counts = [keyspace.keys, keyspace.sortedSets, keyspace.lists, keyspace.vectors];
  const there = THINGS.filter((_, place) => (counts[place] as number) > 0);
  return there.length === 0 ? ['values'] : there;
}

export function KeysView({ overview, chosen, setChosen }: KeysViewProps) {
  const readable = overview.keyspaces.filter(({ kind }) => kind !== 'locked');
  const keyspace = readable.find(({ name }) => name === chosen) ?? readable[0];
  const things = thingsIn(keyspace);
  const [thing, setThing] = useState<Thing>('values');
  const [prefix, setPrefix] = useState('');
  /** Where each page that was seen begins; the last one is shown. */
  const [starts, setStarts] = useState<readonly (string | undefined)[]>([undefined]);
  const [key, setKey] = useState<string>();
  const what = things.includes(thing) ? thing : (things[0] as Thing);
  const name = keyspace?.name;
  useEffect(() => {
    setStarts([undefined]);
    setKey(undefined);
  }, [name, what, prefix]);
  const { txnId } = overview.info;
  const listed = useAnswer<ListedKeys>(name === undefined ? undefined : 'keys', {
    ...{ keyspace: name, what, prefix: prefix === '' ? undefined : prefix },
    ...{ after: starts.at(-1), t: txnId },
  });
  if (keyspace === undefined || name === undefined)
    return <p class="quiet">There are no keyspaces yet.</p>;
  return (
    <div class="columns">
      <Card>
        <div class="fields">
          <Choice
            label="keyspace"
            value={name}
            options={readable.map((it) => it.name)}
            onChange={setChosen}
          />
          {things.length > 1 && (
            <Choice label="what" value={what} options={things} onChange={setThing} />
          )}
          <Input
            label={isBytes(keyspace) ? 'prefix, hex' : 'prefix'}
            value={prefix}
            onInput={setPrefix}
            placeholder="all keys"
          />
        </div>
        <Failure text={listed.failure} />
        <Listed {...{ listed: listed.answer, chosen: key, choose: setKey, starts, setStarts }} />
      </Card>
      <Key {...{ overview, keyspace, what, id: key, setKey, onChange: listed.again }} />
    </div>
  );
}

interface ListedProps {
  readonly listed: ListedKeys | undefined;
  readonly chosen: string | undefined;
  readonly choose: (id: string) => void;
  readonly starts: readonly (string | undefined)[];
  readonly setStarts: (starts: readonly (string | undefined)[]) => void;
}

function Listed({ listed, chosen, choose, starts, setStarts }: ListedProps) {
  if (listed === undefined) return null;
  const { items, hasMore } = listed;
  return (
    <>
      <ul class="keys">
        {items.map(({ id, label, about }) => (
          <li key={id}>
            <button
              type="button"
              class={id === chosen ? 'key chosen' : 'key'}
              onClick={() => choose(id)}
            >
              <span class="label">{label}</span>
              <span class="about">{about}</span>
            </button>
          </li>
        ))}
      </ul>
      {items.length === 0 && <p class="quiet">None.</p>}
      <div class="fields">
        <button
          type="button"
          disabled={starts.length === 1}
          onClick={() => setStarts(starts.slice(0, -1))}
        >
          Back
        </button>
        <button
          type="button"
          disabled={!hasMore}
          onClick={() => setStarts([...starts, items.at(-1)?.id])}
        >
          More
        </button>
      </div>
    </>
  );
}

const isBytes = (keyspace: KeyspaceOverview): boolean =>
  keyspace.kind === 'values' && keyspace.keyKind === 'bytes';

interface KeyProps {
  readonly overview: Overview;
  readonly keyspace: KeyspaceOverview;
  readonly what: Thing;
  readonly id: string | undefined;
  readonly setKey: (id: string | undefined) => void;
  readonly onChange: () => void;
}

function Key({ overview, keyspace, what, id, setKey, onChange }: KeyProps) {
  const { name } = keyspace;
  const { info, canWrite } = overview;
  const path = id === undefined ? undefined : 'key';
  const viewed = useAnswer<ViewedKey>(path, { keyspace: name, what, id, t: info.txnId });
  const [refusal, setRefusal] = useState<string>();
  const canChange = canWrite && keyspace.kind === 'values' && what === 'values';
  const keyKind = isBytes(keyspace) ? 'bytes' : 'text';
  const change = async (action: 'set' | 'del', body: Record<string, unknown>) => {
    try {
      await tell(action, { keyspace: name, keyKind, ...body });
      setRefusal(undefined);
      if (action === 'del') setKey(undefined);
      onChange();
      viewed.again();
    } catch (error) {
      setRefusal(error instanceof Error ? error.message : String(error));
    }
  };
  const { answer } = viewed;
  return (
    <div>
      {id !== undefined && (
        <Card title={answer?.label ?? ''}>
          <Failure text={viewed.failure} />
          {answer !== undefined && <ValueView viewed={answer} />}
          {answer?.vector !== undefined && <Vector numbers={answer.vector} />}
          {answer?.members !== undefined && <Members viewed={answer} />}
          {answer?.elements !== undefined && <Elements viewed={answer} />}
          {canChange && (
            <button type="button" class="danger" onClick={() => change('del', { id })}>
              Remove this key
            </button>
          )}
        </Card>
      )}
      {id === undefined && <p class="quiet">Choose a key to see what it holds.</p>}
      <Failure text={refusal} />
      {canChange && (
        <EditBox
          viewed={id === undefined ? undefined : answer}
          onSet={(body) => change('set', body)}
        />
      )}
    </div>
  );
}

function Vector({ numbers }: { numbers: readonly number[] }) {
  const norm = Math.sqrt(numbers.reduce((sum, it) => sum + it * it, 0));
  const most = Math.max(...numbers.map(Math.abs), 1e-30);
  const points = numbers.map((it, place) => {
    return `${(place / Math.max(1, numbers.length - 1)) * 100},${10 - (it / most) * 9}`;
  });
  return (
    <>
      <h3>Vector</h3>
      <svg
        class="vector"
        viewBox="0 0 100 20"
        preserveAspectRatio="none"
        role="img"
        aria-label="the numbers of the vector"
      >
        <polyline points={points.join(' ')} />
      </svg>
      <p class="quiet">
        {whole(numbers.length)} numbers of at most {short(most)}, length {short(norm)}
      </p>
      <pre class="value">
        {numbers.slice(0, 64).map(short).join(', ')}
        {numbers.length > 64 ? ', …' : ''}
      </pre>
    </>
  );
}

function Members({ viewed }: { viewed: ViewedKey }) {
  const { members = [], count = 0 } = viewed;
  return (
    <>
      <p class="quiet">{whole(count)} members, by rising score</p>
      <table>
        <tbody>
          {members.map(({ member, score }) => (
            <tr key={member}>
              <td class="number">{score}</td>
              <td>{member}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function Elements({ viewed }: { viewed: ViewedKey }) {
  const { elements = [], count = 0 } = viewed;
  return (
    <>
      <p class="quiet">{whole(count)} elements, from the head</p>
      <ol class="elements" start={0}>
        {elements.map((it, place) => (
          <li key={place}>{it}</li>
        ))}
      </ol>
    </>
  );
}
