import type { ComponentChildren, JSX } from "preact";
import type { KeyBinding } from "../app/keys.ts";
import { ItemRows } from "./virtual-rows.tsx";

/** A column of a {@link Grid}. */
export interface Column<T> {
  readonly title: string;
  /** Tooltip of its header. */
  readonly hint?: string | undefined;
  /** CSS class of its header and cells. */
  readonly class?: string | undefined;
  /** CSS class of its cells alone. */
  readonly look?: string | undefined;
  readonly cell: (item: T, index: number) => ComponentChildren;
  /** Tooltip of a cell. */
  readonly titleOf?: ((item: T) => string | undefined) | undefined;
  /** Needed if the styles don't set it. */
  readonly width?: string | undefined;
}

/** Options of {@link Grid}. */
export interface GridProps<T> {
  /** Prefix of the rows' classes and ids. */
  readonly name: string;
  readonly label: string;
  readonly items: readonly T[];
  readonly columns: readonly Column<T>[];
  /** Height of a row, in pixels. */
  readonly height: number;
  /** Index of the selected row; undefined if rows can't be selected. */
  readonly selected?: number | undefined;
  readonly onSelect?: ((index: number) => void) | undefined;
  /** Called when the last rows come into view. */
  readonly onEnd?: (() => void) | undefined;
  /** There are more than these items. */
  readonly isCut?: boolean | undefined;
  readonly hasHead?: boolean | undefined;
  readonly look?: ((item: T) => string) | undefined;
}

/** A list of any length, in columns. */
export function Grid<T>(props: GridProps<T>): JSX.Element {
  const { name, label, items, columns, height, selected, onSelect, onEnd, isCut = false, hasHead = true } = props;
  const heads = hasHead ? 1 : 0;
  const head = (
    <div class={`${name}-row grid-row grid-head`} role="row" aria-rowindex={1}>
      {columns.map((column) => (
        <span key={column.title} role="columnheader" class={column.class} title={column.hint}>
          {column.title}
        </span>
      ))}
    </div>
  );
  return (
    <ItemRows
      class={`${name}-rows`}
      items={items}
      height={height}
      selected={selected}
      onEnd={onEnd}
      attributes={{
        role: "grid",
        tabIndex: 0,
        "aria-label": label,
        "aria-rowcount": isCut ? -1 : items.length + heads,
        style: { "--columns": columns.map(({ width }) => width).join(" ") },
        ...(selected !== undefined && { "aria-activedescendant": `${name}-${selected}` }),
      }}
      head={hasHead ? head : undefined}
      row={(item, index, style) => (
        <div
          key={index}
          id={`${name}-${index}`}
          class={`${name}-row grid-row ${props.look?.(item) ?? ""}${index === selected ? " is-selected" : ""}`}
          role="row"
          aria-rowindex={index + 1 + heads}
          aria-selected={selected === undefined ? undefined : index === selected}
          style={style}
          onClick={() => onSelect?.(index)}
        >
          {columns.map((column) => (
            <span
              key={column.title}
              role="gridcell"
              class={`${column.class ?? ""} ${column.look ?? ""}`}
              title={column.titleOf?.(item)}
            >
              {column.cell(item, index)}
            </span>
          ))}
        </div>
      )}
    />
  );
}

/** The keys of a list: next, previous, first and last. @param what - Name of an item. */
export function listKeys(
  what: string,
  count: number,
  current: number,
  go: (index: number) => void,
): readonly KeyBinding[] {
  const to = (index: number): void => go(Math.max(0, Math.min(count - 1, index)));
  return [
    { keys: ["j", "ArrowDown"], does: `Next ${what}`, run: () => to(current + 1) },
    { keys: ["k", "ArrowUp"], does: `Previous ${what}`, run: () => to(current - 1) },
    { keys: ["g", "Home"], does: `First ${what}`, run: () => to(0) },
    { keys: ["G", "End"], does: `Last ${what}`, run: () => to(count - 1) },
  ];
}
