import type { Content } from "@pollux/core";
import { type Delivery, isOver } from "@pollux/core/durable";
import { type InvocationId, RestatePromise, TimeoutError, type WorkflowSharedContext } from "@restatedev/restate-sdk";
import { type RunState, STATE } from "./run-state.ts";

/** Where a run's live events are served. */
export interface FeedPlace {
  /** From 1: how often the run was taken up so far. */
  readonly number: number;
  readonly url: string;
}

/** What a reader of live events asks for. */
export interface FeedQuestion {
  readonly after: number;
  /** False: the run is over, there will be no other. */
  readonly wait: boolean;
}

/** What can be said to a run, and asked of it, while it goes on: handlers of an agent's workflow beside `run`. */
export const sharedHandlers: {
  answer(ctx: WorkflowSharedContext, answer: { readonly name: string; readonly value: unknown }): Promise<Delivery>;
  steer(ctx: WorkflowSharedContext, contents: readonly Content[]): Promise<Delivery>;
  state(ctx: WorkflowSharedContext): Promise<RunState | null>;
  cancel(ctx: WorkflowSharedContext): Promise<void>;
  announce(ctx: WorkflowSharedContext, url: string): Promise<void>;
  feed(ctx: WorkflowSharedContext, asked: FeedQuestion): Promise<FeedPlace | null>;
} = {
  /** An answer that comes before its question is kept. */
  answer: async (ctx, { name, value }) => {
    if ((await peek(ctx, name)) !== undefined) return "already-answered";
    const state = await ctx.get<RunState>(STATE);
    if (state !== null && isOver(state)) return "run-over";
    return (await settle(ctx, name, value)) ? "delivered" : "already-answered";
  },

  /** Messages are numbered as they come. */
  steer: async (ctx, contents) => {
    const state = await ctx.get<RunState>(STATE);
    if (state !== null && isOver(state)) return "run-over";
    await settleFirst(ctx, "steer", contents);
    return "delivered";
  },

  state: async (ctx) => {
    const state = await ctx.get<RunState>(STATE);
    if (state === null) return null;
    // The state is written when the question is put; answers come later.
    const answers = await RestatePromise.all(state.questions.map(({ name }) => peek(ctx, name)));
    return { ...state, questions: state.questions.filter((_, index) => answers[index] === undefined) };
  },

  cancel: async (ctx) => {
    ctx.cancel(await ctx.promise<InvocationId>("begun").get());
  },

  /** A worker tells where it serves the run's events. */
  announce: async (ctx, url) => {
    await settleFirst(ctx, "feed", url);
  },

  /** The latest such place after a number; when there is none, the next, waited for a while. */
  feed: async (ctx, { after, wait }) => {
    let last: FeedPlace | undefined;
    for (let number = after + 1; ; number++) {
      const url = await ctx.promise<string>(`feed:${number}`).peek();
      if (url === undefined) break;
      last = { number, url };
    }
    if (last !== undefined) return last;
    if (!wait) return null;
    const number = after + 1;
    return await ctx
      .promise<string>(`feed:${number}`)
      .get()
      .orTimeout(FEED_WAIT_MS)
      .map((url, failure) => {
        if (failure === undefined && url !== undefined) return { number, url };
        if (failure === undefined || failure instanceof TimeoutError) return null;
        throw failure;
      });
  },
};

/** Then the reader asks again. */
const FEED_WAIT_MS = 20_000;

async function settleFirst(ctx: WorkflowSharedContext, kind: "steer" | "feed", value: unknown): Promise<void> {
  for (let number = kind === "feed" ? 1 : 0; ; number++) {
    if (await settle(ctx, `${kind}:${number}`, value)) return;
  }
}

/** False when it was settled before. */
async function settle(ctx: WorkflowSharedContext, name: string, value: unknown): Promise<boolean> {
  if ((await peek(ctx, name)) !== undefined) return false;
  try {
    await ctx.promise<unknown>(name).resolve(value);
    return true;
  } catch (error) {
    // Somebody else was faster.
    if ((await peek(ctx, name)) !== undefined) return false;
    throw error;
  }
}

function peek(ctx: WorkflowSharedContext, name: string): RestatePromise<unknown> {
  // Typed as any promise, but one of Restate's: only such may stand in its combinators.
  return ctx.promise<unknown>(name).peek() as RestatePromise<unknown>;
}
