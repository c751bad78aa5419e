import type { Step } from "../durable/steps.ts";

const NAME = "WallTimeReached";

/** The timer fires a little late, so that the recorded times of the steps show that the limit was passed. */
const LATE_MS = 20;

/** A signal that aborts when a run's wall time is up; `undefined` without a limit. `stop` leaves no timer behind. */
export function wallClock(limitMs: number | undefined): { readonly signal: AbortSignal; stop(): void } | undefined {
  if (limitMs === undefined) return undefined;
  const controller = new AbortController();
  const reason = new Error(`the run's wall time of ${limitMs} ms is up`);
  reason.name = NAME;
  const timer = setTimeout(() => controller.abort(reason), limitMs + LATE_MS);
  return { signal: controller.signal, stop: () => clearTimeout(timer) };
}

/** The same step, which also ends when the wall time is up. */
export function withDeadline<Event>(step: Step<Event>, deadline: AbortSignal | undefined): Step<Event> {
  return deadline === undefined ? step : { ...step, signal: AbortSignal.any([step.signal, deadline]) };
}

/** What a step that the wall time ended leaves. */
export const WALL_TIME_REACHED: { readonly name: string; readonly message: string } = {
  name: NAME,
  message: "the run's wall time is up",
};

/** True for the recorded error of a step that the wall time ended. */
export function isWallTimeReached(error: { readonly name: string } | undefined): boolean {
  return error?.name === NAME;
}
