import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

/** What stands where there is nothing to show: why, and what to do. */
export function Empty({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ComponentChildren;
}): JSX.Element {
  return (
    <div class="empty stack">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** Why something could not be shown. */
export function Failure({
  error,
  retry,
}: {
  readonly error: Error;
  readonly retry?: (() => void) | undefined;
}): JSX.Element {
  return (
    <div class="empty stack" role="alert">
      <h2>This could not be shown</h2>
      <p>{error.message}</p>
      {retry !== undefined && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** Says that something takes long, once it does. */
export function Loading(): JSX.Element | null {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 300);
    return () => clearTimeout(timer);
  }, []);
  return isLate ? (
    <p class="loading" role="status">
      Loading…
    </p>
  ) : null;
}
