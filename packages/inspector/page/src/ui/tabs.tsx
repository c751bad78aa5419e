import type { JSX } from "preact";
import { formatCount } from "./format.ts";
import { useKeys } from "../app/inspector.ts";

/** One of several views. */
export interface Tab {
  readonly id: string;
  readonly title: string;
  /** Shown after the title. */
  readonly count?: number | undefined;
}

/** Options of {@link Tabs}. */
export interface TabsProps {
  readonly label: string;
  readonly tabs: readonly Tab[];
  readonly current: string;
  readonly onChange: (id: string) => void;
  /** The id of the element that shows the current tab. */
  readonly panel: string;
  /** Keys for the previous and the next tab. */
  readonly keys: readonly [previous: string, next: string];
}

/** Accessible tabs with the usual keys. */
export function Tabs({ label, tabs, current, onChange, panel, keys }: TabsProps): JSX.Element {
  const move = (by: number): void => {
    const index = tabs.findIndex(({ id }) => id === current);
    const next = tabs[(index + by + tabs.length) % tabs.length];
    if (next !== undefined) onChange(next.id);
  };
  useKeys(label, 1, [
    { keys: [keys[0]], does: "Previous tab", run: () => move(-1) },
    { keys: [keys[1]], does: "Next tab", run: () => move(1) },
  ]);
  const onKeyDown = (event: KeyboardEvent & { readonly currentTarget: HTMLElement }): void => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    const list = event.currentTarget;
    move(by);
    requestAnimationFrame(() => list.querySelector<HTMLElement>('[aria-selected="true"]')?.focus());
  };
  return (
    <div class="tabs" role="tablist" aria-label={label} onKeyDown={onKeyDown}>
      {tabs.map(({ id, title, count }) => (
        <button
          key={id}
          type="button"
          role="tab"
          id={`${panel}-tab-${id}`}
          aria-selected={id === current}
          aria-controls={panel}
          tabIndex={id === current ? 0 : -1}
          onClick={() => onChange(id)}
        >
          {title}
          {count !== undefined && <span class="count">{formatCount(count)}</span>}
        </button>
      ))}
    </div>
  );
}
