import type { RunEvent } from "../loop/events.ts";

/** A run to read: a `RunStream`, or anything shaped like it. */
export interface ReadableRun<Result> extends AsyncIterable<RunEvent> {
  result(): Promise<Result>;
}

/**
 * Reads a run to its end.
 *
 * @throws What the run throws.
 */
export async function collect<Result>(
  run: ReadableRun<Result>,
): Promise<{ readonly events: readonly RunEvent[]; readonly result: Result }> {
  const events: RunEvent[] = [];
  for await (const event of run) events.push(event);
  return { events, result: await run.result() };
}

/** The types of the events in order; neighbouring deltas of one kind count once, however the text was cut into pieces. */
export function shapeOf(events: readonly RunEvent[]): RunEvent["type"][] {
  const shape: RunEvent["type"][] = [];
  for (const { type } of events) {
    const isDelta = type === "text-delta" || type === "thought-delta" || type === "call-args-delta";
    if (!isDelta || shape.at(-1) !== type) shape.push(type);
  }
  return shape;
}
