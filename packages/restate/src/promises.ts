import {
  CancelledError,
  type RestatePromise,
  type WorkflowContext,
  type WorkflowSharedContext,
} from "@restatedev/restate-sdk";

/** Stands in place of the next message once the run takes no more; a message is an array. */
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

/** Settles a promise, unless it is settled already. Returns the value that somebody else had settled it with. */
export async function settlePromise(
  ctx: WorkflowContext | WorkflowSharedContext,
  name: string,
  value: unknown,
): Promise<unknown> {
  const known = await peekPromise(ctx, name);
  if (known !== undefined) return known;
  try {
    await ctx.promise<unknown>(name).resolve(value);
    return undefined;
  } catch (error) {
    if (error instanceof CancelledError) throw error;
    // Another request was faster.
    const faster = await peekPromise(ctx, name);
    if (faster !== undefined) return faster;
    throw error;
  }
}
