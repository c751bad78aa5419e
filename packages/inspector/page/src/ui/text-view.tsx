import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { jsonLines, lineAt, rawLines, type TextLines } from "./text-lines.ts";
import { VirtualRows } from "./virtual-rows.tsx";

/** Options of {@link TextView}. */
export interface TextViewProps {
  readonly text: string;
  /** Name of the text for screen readers. */
  readonly label: string;
  /** Lays the text out as JSON; otherwise line by line. */
  readonly isJson: boolean;
  /** Dims the text before this position. */
  readonly shared?: number | undefined;
  /** Marks the line of `shared`, where the prefix broke. */
  readonly isBroken?: boolean | undefined;
}

const LINE_HEIGHT = 18;

/** A text of any size in a scrolling box that only renders the lines in view. */
export function TextView({ text, label, isJson, shared = 0, isBroken = false }: TextViewProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const [columns, setColumns] = useState(100);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const measure = (): void => {
      const probe = element.querySelector<HTMLElement>(".text-probe");
      const wide = probe === null ? 0 : probe.getBoundingClientRect().width / 10;
      if (wide > 0) setColumns(Math.max(20, Math.floor((element.clientWidth - 56 - 28) / wide)));
    };
    const sizes = new ResizeObserver(measure);
    sizes.observe(element);
    measure();
    return () => sizes.disconnect();
  }, []);
  const lines = useMemo(() => (isJson ? jsonLines(text, columns) : rawLines(text, columns)), [text, isJson, columns]);
  const breakLine = shared > 0 && shared < text.length ? lineAt(lines, shared) : undefined;
  const height = Math.min(Math.max(lines.count, 1), 28) * LINE_HEIGHT + 12;
  return (
    <div ref={box} class="text-view" style={{ height: `${height}px` }}>
      <span class="text-probe" aria-hidden="true">
        0000000000
      </span>
      <VirtualRows
        class="text-rows"
        count={lines.count}
        height={LINE_HEIGHT}
        selected={breakLine === undefined ? undefined : Math.min(lines.count - 1, breakLine + 6)}
        attributes={{ tabIndex: 0, role: "region", "aria-label": label }}
        row={(line, style) => (
          <div key={line} class={`text-line${line === breakLine && isBroken ? " text-break" : ""}`} style={style}>
            <span class="text-number" aria-hidden="true">
              {line + 1}
            </span>
            <code style={{ paddingLeft: `${lines.indent(line)}ch` }}>{lineContent(lines, line, shared, isJson)}</code>
          </div>
        )}
      />
    </div>
  );
}

function lineContent(lines: TextLines, line: number, shared: number, isJson: boolean): ComponentChildren {
  const [start, end] = [lines.start(line), lines.end(line)];
  const split = Math.max(start, Math.min(end, shared));
  const before = lines.text.slice(start, split);
  const after = lines.text.slice(split, end);
  return (
    <>
      {before !== "" && <span class="shared">{before}</span>}
      {after !== "" && (isJson ? colored(after) : after)}
    </>
  );
}

/** Keys, strings, numbers and words of a piece of JSON. */
const TOKEN = /("(?:[^"\\]|\\.)*"?)(\s*:)?|(-?\d[\d.eE+-]*)|\b(true|false|null)\b/g;

/** A piece of JSON in colors. */
export function colored(text: string): ComponentChildren {
  const pieces: ComponentChildren[] = [];
  let at = 0;
  for (const match of text.matchAll(TOKEN)) {
    if (match.index > at) pieces.push(text.slice(at, match.index));
    const [whole, string, colon, number] = match;
    const kind =
      string !== undefined ? (colon === undefined ? "string" : "key") : number !== undefined ? "number" : "word";
    pieces.push(<span class={`json-${kind}`}>{whole}</span>);
    at = match.index + whole.length;
  }
  if (at < text.length) pieces.push(text.slice(at));
  return pieces;
}
