import type { ObservedEvent, Observer, RunInfo, StepInfo } from "@pollux/core/observers";

/** An observer that keeps its observations. */
export function record(): Observer & { readonly observations: ObservedEvent[] } {
  const observations: ObservedEvent[] = [];
  return { observations, observe: (observation) => void observations.push(observation) };
}

/** Observations in a few words. */
export function shape(observations: readonly ObservedEvent[]): string[] {
  return observations.map((one) => {
    if ("step" in one) return `${one.type} ${one.step.name}`;
    return "turn" in one ? `${one.type} ${one.turn}` : one.type;
  });
}

/** A span, as a tracing system would have it. */
interface Span {
  readonly name: string;
  readonly notes: string[];
  readonly startedAt: number;
  endedAt: number;
  readonly children: Span[];
}

/**
 * Draws the trace of runs from their observations alone: one line for each span, indented below its parent, followed by the events
 * in it. Children must lie within their parents' times.
 */
export function drawTrace(observations: readonly ObservedEvent[]): string[] {
  const roots: Span[] = [];
  const runs = new Map<RunInfo, Span>();
  const steps = new Map<StepInfo, Span>();
  const spansOfSteps = new Map<string, Span>();
  for (const one of observations) {
    const { run, at } = one;
    const span = "step" in one ? steps.get(one.step) : runs.get(run);
    switch (one.type) {
      case "run-start": {
        const made = spanOf(`${run.resumed === true ? "resumed " : ""}run ${run.agent}`, at);
        runs.set(run, made);
        const parent = run.parent && spansOfSteps.get(`${run.parent.runId} ${run.parent.step}`);
        (parent?.children ?? roots).push(made);
        break;
      }
      case "step-start": {
        const { name, call } = one.step;
        const made = spanOf(call === undefined ? name : `${name} ${call.name}`, at);
        steps.set(one.step, made);
        spansOfSteps.set(`${run.runId} ${name}`, made);
        runs.get(run)?.children.push(made);
        break;
      }
      case "step-end":
      case "run-end":
        if (span !== undefined) span.endedAt = at;
        span?.notes.push(one.type === "run-end" ? (one.result?.stopReason ?? one.ended) : ending(one));
        break;
      case "notice":
        span?.notes.push(one.notice.type);
        break;
      case "recover":
        span?.notes.push(`recover ${one.problem}`);
        break;
      case "tool-pending":
        span?.notes.push(`${one.callId} waits`);
        break;
      case "discard":
      case "compact":
        span?.notes.push(one.type);
        break;
      default:
    }
  }
  return roots.flatMap((root) => lines(root, ""));
}

function ending({ ok, response, outcome }: ObservedEvent<"step-end">): string {
  if (!ok) return "failed";
  if (response !== undefined) return `${response.finishReason} ${response.usage.totalTokens}`;
  return outcome === undefined || outcome.ok ? "ok" : outcome.kind;
}

function spanOf(name: string, startedAt: number): Span {
  return { name, notes: [], startedAt, endedAt: Number.NaN, children: [] };
}

function lines({ name, notes, children, startedAt, endedAt }: Span, indent: string): string[] {
  for (const child of children)
    if (child.startedAt < startedAt || child.endedAt > endedAt) throw new Error(`${child.name} is not within ${name}`);
  return [`${indent}${name}: ${notes.join(", ")}`, ...children.flatMap((child) => lines(child, `${indent}  `))];
}
