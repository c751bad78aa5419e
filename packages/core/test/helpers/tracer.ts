import type { Observer, RunInfo, StepInfo } from "@pollux/core/observers";
import { record } from "./observations.ts";

let traces = 0;

/** An observer that gives each run a trace of its own and each step a span in it, and keeps its observations. */
export function tracer(): ReturnType<typeof record> & {
  readonly traceparent: NonNullable<Observer["traceparent"]>;
  /** Names of the runs and steps that it gave a `traceparent`, in order. */
  readonly asked: string[];
  /** The `traceparent` of the first run or step of that name: `run`, `model:1`. */
  readonly of: (name: string) => string;
  /** The `traceparent` of a run. */
  readonly ofRun: (run: RunInfo) => string | undefined;
} {
  const byName = new Map<string, string>();
  const traceOf = new WeakMap<RunInfo, string>();
  const ofRun = new WeakMap<RunInfo, string>();
  const asked: string[] = [];
  let spans = 0;
  return {
    ...record(),
    asked,
    ofRun: (run) => ofRun.get(run),
    of: (name) => byName.get(name) ?? `${name} got no traceparent`,
    traceparent(of: RunInfo | StepInfo) {
      const [name, run] = "run" in of ? [of.name, of.run] : ["run", of];
      const trace = traceOf.get(run) ?? (++traces).toString(16).padStart(32, "0");
      traceOf.set(run, trace);
      const made = `00-${trace}-${(++spans).toString(16).padStart(16, "0")}-01`;
      asked.push(name);
      if (name === "run") ofRun.set(run, made);
      if (!byName.has(name)) byName.set(name, made);
      return made;
    },
  };
}

/** The ids of a `traceparent`, as lines of a log have them. */
export function idsOf(traceparent: string): object {
  const [, trace_id, span_id, trace_flags] = traceparent.split("-");
  return { trace_id, span_id, trace_flags };
}
