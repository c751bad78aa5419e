import { type Context, context, isSpanContextValid, type Span, type SpanContext, trace } from "@opentelemetry/api";
import type { ParentStep } from "@pollux/core/tool";

/**
 * The `traceparent` of a span; undefined for one that no SDK made.
 *
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function traceparentOf(span: Span): string | undefined {
  const { traceId, spanId, traceFlags } = span.spanContext();
  if (!isSpanContextValid({ traceId, spanId, traceFlags })) return undefined;
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
}

/** Reads a `traceparent`; undefined if it is not a valid one. */
export function parseTraceparent(traceparent: string | undefined): SpanContext | undefined {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent ?? "") ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  const parsed = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  return isSpanContextValid(parsed) ? parsed : undefined;
}

/** Version 00. */
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/**
 * The context in which a run starts: the caller's, so that a run inside a call is a child of the tool's own spans; but
 * the call's context if the caller is not in the trace of the call.
 *
 * @param inside - Context of the step that contains the run, if it is executed in this process.
 */
export function startingContext(parent: ParentStep | undefined, inside: Context | undefined): Context {
  const active = context.active();
  if (parent === undefined) return active;
  const remote = parseTraceparent(parent.traceparent);
  const wanted = inside === undefined ? remote : trace.getSpanContext(inside);
  if (wanted === undefined || trace.getSpanContext(active)?.traceId === wanted.traceId) return active;
  return inside ?? trace.setSpanContext(active, wanted);
}
