/**
 * Small parts that several views are made of.
 */
import type { ComponentChildren } from 'preact';

export function Card({ title, children }: { title?: string; children: ComponentChildren }) {
  return (
    <section class="card">
      {title !== undefined && <h2>{title}</h2>}
      {children}
    </section>
  );
}

/** A name, what it is now, and a word about it. */
export type FigureOf = readonly [name: string, value: string, note: string];

export function Figures({ figures }: { figures: readonly FigureOf[] }) {
  return (
    <div class="figures">
      {figures.map(([name, value, note]) => (
        <div class="figure" key={name}>
          <span class="name">{name}</span>
          <span class="value">{value}</span>
          <span class="note">{note}</span>
        </div>
      ))}
    </div>
  );
}

export function Failure({ text }: { text: string | undefined }) {
  return text === undefined ? null : (
    <p class="failure" role="alert">
      {text}
    </p>
  );
}

export function Bar({ share, colour }: { share: number; colour: string }) {
  const width = `${Math.min(100, Math.max(share > 0 ? 0.5 : 0, share * 100))}%`;
  return (
    <span class="bar">
      <span style={{ width, background: colour }} />
    </span>
  );
}

interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly T[];
  readonly onChange: (value: T) => void;
}

export function Choice<T extends string>({ label, value, options, onChange }: ChoiceProps<T>) {
  return (
    <label class="field">
      <span>{label}</span>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value as T)}>
        {options.map((it) => (
          <option key={it} value={it}>
            {it}
          </option>
        ))}
      </select>
    </label>
  );
}

interface InputProps {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly placeholder?: string;
  readonly isNumber?: boolean;
}

export function Input({ label, value, onInput, placeholder = '', isNumber = false }: InputProps) {
  return (
    <label class={isNumber ? 'field short' : 'field'}>
      <span>{label}</span>
      <input
        inputMode={isNumber ? 'decimal' : 'text'}
        value={value}
        placeholder={placeholder}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </label>
  );
}
