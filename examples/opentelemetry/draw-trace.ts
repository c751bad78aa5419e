import type { Attributes, ReceivedSpan } from "./otlp.ts";

/**
 * Draws a span and all within it, one line each: name, duration, tokens, cost, and what went wrong or is worth knowing.
 *
 * @param spans - All that may lie within it.
 */
export function drawTrace(root: ReceivedSpan, spans: readonly ReceivedSpan[]): string {
  const rows = drawSpan(root, spans, "", "");
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map(([name, ...cells]) => {
    const [note, ...figures] = cells.toReversed();
    const padded = figures.toReversed().map((cell, index) => cell.padStart(widths[index + 1] ?? 0));
    return [name.padEnd(widths[0] ?? 0), ...padded, note].join("  ").trimEnd();
  });
  return [`${root.service}, trace ${shortId(root.traceId)}`, ...lines].join("\n");
}

/** The tree, and then duration, tokens, cost and notes. */
type Row = readonly [name: string, duration: string, tokens: string, cost: string, notes: string];

function drawSpan(span: ReceivedSpan, all: readonly ReceivedSpan[], first: string, rest: string): readonly Row[] {
  const children = all.filter((other) => other.parentId === span.spanId).toSorted(compareStarts);
  const below = children.flatMap((child, index) => {
    const isLast = index === children.length - 1;
    return drawSpan(child, all, rest + (isLast ? "└─ " : "├─ "), rest + (isLast ? "   " : "│  "));
  });
  const { name, start, end, attributes } = span;
  return [
    [first + name, formatDuration(end - start), formatTokens(attributes), formatCost(attributes), notesOf(span)],
    ...below,
  ];
}

/** Times are in milliseconds: for what starts in the same one, the turn and the number of the call decide. */
function compareStarts(a: ReceivedSpan, b: ReceivedSpan): number {
  return a.start - b.start || turnOf(a) - turnOf(b) || compareCalls(a, b) || a.end - b.end;
}

function turnOf({ attributes }: ReceivedSpan): number {
  return Number(attributes["pollux.turn"] ?? 0);
}

function compareCalls(a: ReceivedSpan, b: ReceivedSpan): number {
  const idOf = ({ attributes }: ReceivedSpan): string => String(attributes["pollux.call.id"] ?? "");
  return idOf(a).localeCompare(idOf(b), "en", { numeric: true });
}

function formatDuration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

function formatTokens(attributes: Attributes): string {
  const [input, output] = ["input", "output"].map((kind) => attributes[`gen_ai.usage.${kind}_tokens`]);
  return typeof input !== "number" || typeof output !== "number" ? "" : `${input} in ${String(output).padStart(4)} out`;
}

function formatCost(attributes: Attributes): string {
  const cost = attributes["pollux.cost"];
  return typeof cost === "number" ? `$${cost.toFixed(4)}` : "";
}

function notesOf({ attributes, events, links, hasFailed }: ReceivedSpan): string {
  return [
    ...links.map((trace) => `continues ${shortId(trace)}`),
    ...events.filter(({ name }) => name !== "exception").map(describeEvent),
    ...(hasFailed ? [`failed: ${String(attributes["error.type"] ?? "unknown")}`] : []),
  ].join("; ");
}

/** An event, with the attribute that says the most about it. */
function describeEvent({ name, attributes }: ReceivedSpan["events"][number]): string {
  const detail = ["error.type", ...["reason", "tool", "problem", "name"].map((end) => `${name}.${end}`)]
    .map((key) => attributes[key])
    .find((value) => value !== undefined);
  const event = name.replace(/^pollux\./, "");
  return detail === undefined ? event : `${event}: ${String(detail)}`;
}

function shortId(traceId: string): string {
  return traceId.slice(0, 8);
}
