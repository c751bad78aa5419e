import type { ComponentChildren, JSX } from "preact";
import type { KeyBinding } from "../app/keys.ts";
import { ItemRows } from "./virtual-rows.tsx";

/** A column of a {@link Grid}. */
export interface Column<T> {
  readonly title: string;
  /** Of its head. */
  readonly hint?: string | undefined;
  /** Of its head and of its cells. */
  readonly class?: string | undefined;
  /** Of its cells alone. */
  readonly look?: string | undefined;
  readonly cell: (item: T, index: number) => ComponentChildren;
  /** The title of a cell. */
  readonly titleOf?: ((item: T) => string | undefined) | undefined;
  /** Where the styles don't know it. */
  readonly width?: string | undefined;
}

/** Options of {@link Grid}. */
export interface GridProps<T> {
  /** Of a row, for its classes and ids. */
  readonly name: string;
  readonly label: string;
  readonly items: readonly T[];
  readonly columns: readonly Column<T>[];
  /** Of a row, in pixels. */
  readonly height: number;
  /** Without one, rows can't be chosen. */
  readonly selected?: number | undefined;
  readonly onSelect?: ((index: number) => void) | undefined;
  /** Called when the last rows come into view. */
  readonly onEnd?: (() => void) | undefined;
  /** There are more than these items. */
  readonly isCut?: boolean | undefined;
  readonly hasHead?: boolean | undefined;
  readonly look?: ((item: T) => string) | undefined;
}

/** A list in columns, however long it is. */
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

/** The keys of a list: to the next one and the one before, to the first and the last. @param what - One of it. */
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
