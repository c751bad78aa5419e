/** The parts of a `traceparent`, under their usual names in logs. */
export interface TraceIds {
  /** 32 hexadecimal digits. */
  readonly trace_id: string;
  /** 16 hexadecimal digits. */
  readonly span_id: string;
  /** Two hexadecimal digits; `01` for a sampled trace. */
  readonly trace_flags: string;
}

/** Reads a W3C `traceparent`, if it is one. @see https://www.w3.org/TR/trace-context/#traceparent-header */
export function parseTraceparent(value: unknown): TraceIds | undefined {
  const [, traceId, spanId, flags] = (typeof value === "string" && TRACEPARENT.exec(value)) || [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return { trace_id: traceId, span_id: spanId, trace_flags: flags };
}

/** Version 00; ids of zeros are invalid. */
const TRACEPARENT = /^00-(?!0+-)([0-9a-f]{32})-(?!0+-)([0-9a-f]{16})-([0-9a-f]{2})$/;
