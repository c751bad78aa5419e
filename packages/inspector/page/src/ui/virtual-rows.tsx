import type { ComponentChildren, CSSProperties, HTMLAttributes, JSX } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

/** Options of {@link VirtualRows}. */
export interface VirtualRowsProps {
  readonly count: number;
  /** Height of all rows, or of each, in pixels. */
  readonly height: number | ((index: number) => number);
  /** A change recomputes all heights. */
  readonly version?: unknown;
  /** Renders one row; `style` positions it. */
  readonly row: (index: number, style: CSSProperties) => ComponentChildren;
  /** Index of a row that scrolls into view when it changes. */
  readonly selected?: number | undefined;
  /** Called when the last rows come into view. */
  readonly onEnd?: (() => void) | undefined;
  readonly class?: string | undefined;
  /** Attributes of the scrolling element. */
  readonly attributes?: HTMLAttributes<HTMLDivElement> | undefined;
  /** Stays at the top. */
  readonly head?: ComponentChildren;
}

/** Options of {@link ItemRows}. */
export interface ItemRowsProps<T> extends Omit<VirtualRowsProps, "count" | "height" | "row"> {
  readonly items: readonly T[];
  readonly height: number | ((item: T) => number);
  readonly row: (item: T, index: number, style: CSSProperties) => ComponentChildren;
}

/** A list of items that only renders the rows in view. */
export function ItemRows<T>({ items, height, row, ...rest }: ItemRowsProps<T>): JSX.Element {
  const heightAt = (index: number): number => {
    const item = items[index];
    return typeof height === "number" ? height : item === undefined ? 0 : height(item);
  };
  const rowAt = (index: number, style: CSSProperties): ComponentChildren => {
    const item = items[index];
    return item === undefined ? null : row(item, index, style);
  };
  return (
    <VirtualRows
      {...rest}
      count={items.length}
      height={typeof height === "number" ? height : heightAt}
      version={items}
      row={rowAt}
    />
  );
}

/** Rows to render beyond the visible ones, above and below. */
const OVERSCAN = 12;
/** The greatest height that all browsers can draw. */
const MAX_HEIGHT = 8_000_000;

/** A list of any length that only renders the rows in view. */
export function VirtualRows(props: VirtualRowsProps): JSX.Element {
  const { count, height, version, row, selected, onEnd, attributes, head } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800 });
  const offsets = useMemo(() => offsetsOf(count, height), [count, version]);
  const total = offsets(count);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return undefined;
    const measure = (): void => {
      const next = { top: element.scrollTop, height: element.clientHeight };
      setView((known) => (known.top === next.top && known.height === next.height ? known : next));
    };
    const sizes = new ResizeObserver(measure);
    sizes.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    measure();
    return () => {
      sizes.disconnect();
      element.removeEventListener("scroll", measure);
    };
  }, []);

  const isKnown = selected !== undefined && selected >= 0 && selected < count;
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null || !isKnown) return;
    const headHeight = element.querySelector<HTMLElement>(".rows-head")?.offsetHeight ?? 0;
    const [top, bottom] = [offsets(selected), offsets(selected + 1) + headHeight];
    if (top < element.scrollTop) element.scrollTop = top;
    else if (bottom > element.scrollTop + element.clientHeight) element.scrollTop = bottom - element.clientHeight;
  }, [selected, isKnown]);

  // Too many rows for one element are laid out around the position of the scroll bar.
  const isSqueezed = total > MAX_HEIGHT;
  const drawn = Math.min(total, MAX_HEIGHT);
  const part = isSqueezed ? view.top / Math.max(1, drawn - view.height) : 0;
  const top = isSqueezed ? part * (total - view.height) : view.top;
  const shift = view.top - top;
  const first = Math.max(0, indexAt(offsets, count, top) - OVERSCAN);
  const last = Math.min(count, indexAt(offsets, count, top + view.height) + 1 + OVERSCAN);
  const isAtEnd = last >= count;
  useEffect(() => {
    if (isAtEnd) onEnd?.();
  }, [isAtEnd, count]);

  const rows: ComponentChildren[] = [];
  for (let index = first; index < last; index++)
    rows.push(
      row(index, {
        position: "absolute",
        top: `${offsets(index) + shift}px`,
        height: `${offsets(index + 1) - offsets(index)}px`,
      }),
    );
  return (
    <div ref={scroller} class={`rows ${props.class ?? ""}`} {...attributes}>
      {head !== undefined && <div class="rows-head">{head}</div>}
      <div class="rows-body" role="presentation" style={{ height: `${drawn}px` }}>
        {rows}
      </div>
    </div>
  );
}

/** Returns the top of each row. */
function offsetsOf(count: number, height: VirtualRowsProps["height"]): (index: number) => number {
  if (typeof height === "number") return (index) => index * height;
  const offsets = new Float64Array(count + 1);
  for (let index = 0; index < count; index++) offsets[index + 1] = (offsets[index] ?? 0) + height(index);
  return (index) => offsets[index] ?? 0;
}

function indexAt(offsets: (index: number) => number, count: number, y: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (offsets(middle + 1) <= y) low = middle + 1;
    else high = middle;
  }
  return low;
}
