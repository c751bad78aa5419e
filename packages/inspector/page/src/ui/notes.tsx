import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Button } from "../acting/parts.tsx";

interface EmptyProps {
  readonly title: string;
  readonly children?: ComponentChildren;
}

/** What stands where there is nothing to show: why, and what to do. */
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

/** Stands for what is being loaded, or why it could not be. */
export function Waiting({ error, retry }: WaitingProps): JSX.Element {
  if (error === undefined) return <Loading />;
  return (
    <div class="empty stack" role="alert">
      <h2>This could not be shown</h2>
      <p>{error.message}</p>
      {retry !== undefined && <Button say="Try again" onClick={retry} />}
    </div>
  );
}

/** What went wrong, by its name and in a sentence. */
export function ErrorBanner({ name, message }: { readonly name: string; readonly message: string }): JSX.Element {
  return (
    <p class="banner is-error">
      <b>{name}</b> {message}
    </p>
  );
}

/** Says that something takes long, once it does. */
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

/** A value that differs from what it was. @param title - What the older one is called. */
export function WasAndIs({ title, was, is }: WasAndIsProps): JSX.Element {
  const shown = (text: string | undefined): JSX.Element =>
    text === undefined ? <em>nothing there</em> : <code>{text}</code>;
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

/** A name, its figure, and what is to be known of it. */
export type Figure = readonly [name: string, value: string, note?: string | undefined];

/** Figures that stand beside each other. */
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
