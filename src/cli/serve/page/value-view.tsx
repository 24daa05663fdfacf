/**
 * A value as text, as JSON where it is, and as hex digits.
 */
import { useState } from 'preact/hooks';
import type { ViewedKey } from '../answers.ts';
import { bytes, seconds } from './format.ts';

const FORMS = ['text', 'JSON', 'hex'] as const;
type Form = (typeof FORMS)[number];
const ROW_BYTES = 16;
const HEX_BYTES_MAX = 4096;

function decoded(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (it) => it.charCodeAt(0));
}

function jsonOf(text: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return undefined; // it is not JSON, which is nothing to tell of
  }
}

function hexRows(content: Uint8Array): string {
  const rows: string[] = [];
  for (let at = 0; at < Math.min(content.length, HEX_BYTES_MAX); at += ROW_BYTES) {
    const row = [...content.subarray(at, at + ROW_BYTES)];
    const digits = row.map((it) => it.toString(16).padStart(2, '0')).join(' ');
    const text = row.map((it) => (it >= 32 && it < 127 ? String.fromCharCode(it) : '·')).join('');
    rows.push(`${at.toString(16).padStart(6, '0')}  ${digits.padEnd(ROW_BYTES * 3)} ${text}`);
  }
  if (content.length > HEX_BYTES_MAX) rows.push('…');
  return rows.join('\n');
}

export function ValueView({ viewed }: { viewed: ViewedKey }) {
  const [wanted, setWanted] = useState<Form>();
  const { value, ttl } = viewed;
  if (value === undefined) return null;
  const content = decoded(value.base64);
  const text = new TextDecoder().decode(content);
  const json = value.type === 'text' ? jsonOf(text) : undefined;
  const isStructured = json?.includes('\n') === true;
  const form = wanted ?? (value.type === 'bytes' ? 'hex' : isStructured ? 'JSON' : 'text');
  const shown = { text, JSON: json ?? 'This is no JSON.', hex: hexRows(content) }[form];
  return (
    <>
      <p class="quiet">
        {value.type}, {bytes(value.size)}
        {ttl !== undefined && ttl !== null && <>, expires in {seconds(ttl)}</>}
        {value.isCut && <>; only its beginning is shown</>}
      </p>
      <div class="tabs" role="tablist">
        {FORMS.map((it) => (
          <button
            key={it}
            type="button"
            role="tab"
            aria-selected={it === form}
            class={it === form ? 'tab chosen' : 'tab'}
            onClick={() => setWanted(it)}
          >
            {it}
          </button>
        ))}
      </div>
      <pre class="value">{shown}</pre>
    </>
  );
}
