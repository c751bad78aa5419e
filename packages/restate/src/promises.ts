import type { RestatePromise, WorkflowContext, WorkflowSharedContext } from "@restatedev/restate-sdk";

/** In place of the next message: the run takes no more of them. A message is an array. */
export const STEERING_OVER = "over";

/** Name of the promise that holds a message to a run: they are numbered from 0 in order of arrival. */
export function steerName(number: number): string {
  return `steer:${number}`;
}

/** What a promise of a run was settled with; `undefined` if it wasn't yet. */
export function peekPromise<T>(
  ctx: WorkflowContext | WorkflowSharedContext,
  name: string,
): RestatePromise<T | undefined> {
  // Typed as an ordinary promise, but it is one of Restate's: only those work in its combinators.
  return ctx.promise<T>(name).peek() as RestatePromise<T | undefined>;
}
