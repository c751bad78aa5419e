import type { Content } from "@pollux/core";
import { type Delivery, isOver } from "@pollux/core/durable";
import { type InvocationId, RestatePromise, TimeoutError, type WorkflowSharedContext } from "@restatedev/restate-sdk";
import { type RunState, STATE } from "./run-state.ts";

/** Where a run's live events are served. */
export interface FeedPlace {
  /** How often the run has been started or resumed so far, from 1. */
  readonly number: number;
  readonly url: string;
}

/** A reader's request for live events. */
export interface FeedQuestion {
  readonly after: number;
  /** False: the run is over, and there will be no other place. */
  readonly wait: boolean;
}

/** Handlers for messages and queries to a run in progress, next to `run` in an agent's workflow. */
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

  /** Messages are numbered in order of arrival. */
  steer: async (ctx, contents) => {
    const state = await ctx.get<RunState>(STATE);
    if (state !== null && isOver(state)) return "run-over";
    await settleFirst(ctx, "steer", contents);
    return "delivered";
  },

  state: async (ctx) => {
    const state = await ctx.get<RunState>(STATE);
    if (state === null) return null;
    // The state is written when the question is asked; answers come later.
    const answers = await RestatePromise.all(state.questions.map(({ name }) => peek(ctx, name)));
    return { ...state, questions: state.questions.filter((_, index) => answers[index] === undefined) };
  },

  cancel: async (ctx) => {
    ctx.cancel(await ctx.promise<InvocationId>("begun").get());
  },

  /** A worker announces where it serves the run's events. */
  announce: async (ctx, url) => {
    await settleFirst(ctx, "feed", url);
  },

  /** The latest such place after a number; if there is none, waits a while for the next one. */
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

/** After this long, the reader asks again. */
const FEED_WAIT_MS = 20_000;

async function settleFirst(ctx: WorkflowSharedContext, kind: "steer" | "feed", value: unknown): Promise<void> {
  for (let number = kind === "feed" ? 1 : 0; ; number++) {
    if (await settle(ctx, `${kind}:${number}`, value)) return;
  }
}

/** False if it was already settled. */
async function settle(ctx: WorkflowSharedContext, name: string, value: unknown): Promise<boolean> {
  if ((await peek(ctx, name)) !== undefined) return false;
  try {
    await ctx.promise<unknown>(name).resolve(value);
    return true;
  } catch (error) {
    // Another request was faster.
    if ((await peek(ctx, name)) !== undefined) return false;
    throw error;
  }
}

function peek(ctx: WorkflowSharedContext, name: string): RestatePromise<unknown> {
  // Typed as an ordinary promise, but it is one of Restate's: only those work in its combinators.
  return ctx.promise<unknown>(name).peek() as RestatePromise<unknown>;
}
