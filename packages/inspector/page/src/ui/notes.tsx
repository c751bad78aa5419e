import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Button } from "../acting/parts.tsx";

interface EmptyProps {
  readonly title: string;
  readonly children?: ComponentChildren;
}

/** An empty view: why there is nothing to show, and what to do. */
export function Empty({ title, children }: EmptyProps): JSX.Element {
  return (
    <div class="empty stack">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

interface WaitingProps {
  readonly error?: Error | undefined;
  readonly retry?: (() => void) | undefined;
}

/** A loading indicator, or the error of a failed load. */
export function Waiting({ error, retry }: WaitingProps): JSX.Element {
  if (error === undefined) return <Loading />;
  return (
    <div class="empty stack" role="alert">
      <h2>This view could not be loaded</h2>
      <p>{error.message}</p>
      {retry !== undefined && <Button say="Try again" onClick={retry} />}
    </div>
  );
}

/** The name and message of an error. */
export function ErrorBanner({ name, message }: { readonly name: string; readonly message: string }): JSX.Element {
  return (
    <p class="banner is-error">
      <b>{name}</b> {message}
    </p>
  );
}

/** An indicator that only appears after a while. */
function Loading(): JSX.Element | null {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 300);
    return () => clearTimeout(timer);
  }, []);
  return isLate ? (
    <p class="empty dim" role="status">
      Loading…
    </p>
  ) : null;
}

interface WasAndIsProps {
  readonly title: ComponentChildren;
  readonly was?: string | undefined;
  readonly is?: string | undefined;
}

/** A value before and after a change. @param title - Title of the older one. */
export function WasAndIs({ title, was, is }: WasAndIsProps): JSX.Element {
  const shown = (text: string | undefined): JSX.Element =>
    text === undefined ? <em>nothing</em> : <code>{text}</code>;
  return (
    <dl>
      <div>
        <dt>{title}</dt>
        <dd>{shown(was)}</dd>
      </div>
      <div>
        <dt>Now</dt>
        <dd>{shown(is)}</dd>
      </div>
    </dl>
  );
}

/** A named figure with an optional note. */
export type Figure = readonly [name: string, value: string, note?: string | undefined];

/** Figures in a row. */
export function FigureList({ figures }: { readonly figures: readonly Figure[] }): JSX.Element {
  return (
    <dl class="figures wrap">
      {figures.map(([name, value, note]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            {value} {note !== undefined && <span class="small">{note}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
