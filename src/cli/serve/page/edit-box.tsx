/**
 * Sets a value, where that is allowed.
 */
import { useEffect, useState } from 'preact/hooks';
import type { ViewedKey } from '../answers.ts';
import { Card, Choice, Input } from './bits.tsx';

const TYPES = ['text', 'int', 'float', 'bytes'] as const;
type Type = (typeof TYPES)[number];

interface EditBoxProps {
  readonly viewed: ViewedKey | undefined;
  readonly onSet: (body: Record<string, unknown>) => void;
}

export function EditBox({ viewed, onSet }: EditBoxProps) {
  const [key, setKey] = useState('');
  const [type, setType] = useState<Type>('text');
  const [value, setValue] = useState('');
  const [ttl, setTtl] = useState('');
  useEffect(() => {
    if (viewed !== undefined) setKey(viewed.label.replace(/^0x/u, ''));
  }, [viewed?.label]);
  const body = { key, type, value, ...(ttl === '' ? {} : { ttl: Number(ttl) }) };
  return (
    <Card title="Set a value">
      <div class="fields">
        <Input label="key" value={key} onInput={setKey} />
        <Choice label="type" value={type} options={TYPES} onChange={setType} />
        <Input label="ttl, seconds" value={ttl} onInput={setTtl} placeholder="as it is" isNumber />
      </div>
      <label class="field">
        <span>{type === 'bytes' ? 'value, hex' : 'value'}</span>
        <textarea rows={4} value={value} onInput={(event) => setValue(event.currentTarget.value)} />
      </label>
      <button type="button" class="primary" onClick={() => onSet(body)}>
        Set
      </button>
    </Card>
  );
}
