import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import type { EndedSpan, Sdk } from "./sdk.ts";

/**
 * Draws all spans, one line each, below their parents and in the order in which they started: the name, the kind, how it failed, the
 * events in parentheses, and the names of linked spans.
 */
export function drawTree({ spans, started }: Pick<Sdk, "spans" | "started">): readonly string[] {
  const order = new Map(started.map((id, index) => [id, index]));
  const sorted = spans.toSorted((a, b) => (order.get(idOf(a)) ?? 0) - (order.get(idOf(b)) ?? 0));
  const draw = (span: EndedSpan, indent: string): readonly string[] => [
    indent + describeSpan(span, spans),
    ...sorted
      .filter((child) => child.parentSpanContext?.spanId === idOf(span))
      .flatMap((child) => draw(child, `${indent}  `)),
  ];
  return sorted
    .filter(({ parentSpanContext: parent }) => parent === undefined || !order.has(parent.spanId))
    .flatMap((root) => draw(root, root.parentSpanContext === undefined ? "" : "remote > "));
}

function idOf(span: EndedSpan): string {
  return span.spanContext().spanId;
}

function describeSpan({ name, kind, status, attributes, events, links }: EndedSpan, all: readonly EndedSpan[]): string {
  const told = events.map((event) => event.name);
  const linked = links.map((link) => all.find((span) => idOf(span) === link.context.spanId)?.name ?? "?");
  return [
    `${name} ${SpanKind[kind]}`,
    ...(status.code === SpanStatusCode.ERROR ? [`failed: ${String(attributes["error.type"])}`] : []),
    ...(told.length > 0 ? [`(${told.join(", ")})`] : []),
    ...(linked.length > 0 ? [`-> ${linked.join(", ")}`] : []),
  ].join(" ");
}
