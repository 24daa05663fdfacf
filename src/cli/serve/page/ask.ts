/**
 * How the page asks its server: with the token that stands in the page's address behind the #,
 * which browsers keep to themselves.
 */
import { useCallback, useEffect, useState } from 'preact/hooks';

const token = window.location.hash.slice(1);

export type Parameters = Readonly<Record<string, string | number | undefined>>;

async function fetchJson<T>(path: string, options: RequestInit): Promise<T> {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(path, { ...options, headers });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error?.message ?? response.statusText);
  return answer as T;
}

export function ask<T>(path: string, parameters: Parameters = {}): Promise<T> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) query.set(name, String(value));
  }
  return fetchJson<T>(`/api/${path}?${query}`, {});
}

export function tell<T>(path: string, body: unknown): Promise<T> {
  return fetchJson<T>(`/api/${path}`, { method: 'POST', body: JSON.stringify(body) });
}

export interface Asked<T> {
  readonly answer: T | undefined;
  readonly failure: string | undefined;
  readonly isWaiting: boolean;
  /** Asks the same anew. */
  readonly again: () => void;
}

/** Asks whenever what is asked for changes; keeps the last answer until the next is there. */
export function useAnswer<T>(path: string | undefined, parameters: Parameters = {}): Asked<T> {
  const [answer, setAnswer] = useState<T>();
  const [failure, setFailure] = useState<string>();
  const [isWaiting, setWaiting] = useState(false);
  const [round, setRound] = useState(0);
  const wanted = JSON.stringify([path, parameters, round]);
  useEffect(() => {
    if (path === undefined) return;
    let isCurrent = true;
    setWaiting(true);
    ask<T>(path, parameters)
      .then((it) => {
        if (!isCurrent) return;
        setAnswer(() => it);
        setFailure(undefined);
      })
      .catch((error: unknown) => {
        if (isCurrent) setFailure(error instanceof Error ? error.message : String(error));
      })
      .finally(() => isCurrent && setWaiting(false));
    return () => {
      isCurrent = false;
    };
  }, [wanted]);
  return { answer, failure, isWaiting, again: useCallback(() => setRound((it) => it + 1), []) };
}
