import type { Content } from "@pollux/core";
import { type Delivery, type GuessedQuestion, isOver, possibleNames } from "@pollux/engine";
import { type InvocationId, RestatePromise, TimeoutError, type WorkflowSharedContext } from "@restatedev/restate-sdk";
import { peekPromise, settlePromise, STEERING_OVER, steerName } from "./promises.ts";
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

/** An answer to a question. */
export interface SentAnswer {
  /** Name of the wait. */
  readonly name: string;
  readonly value: unknown;
  /** The likely question, if the sender saw no open question of the call, or nothing because no worker was running. */
  readonly guess?: GuessedQuestion | undefined;
}

/** Handlers for messages and queries to a run in progress, next to `run` in an agent's workflow. */
export const sharedHandlers: {
  answer(ctx: WorkflowSharedContext, answer: SentAnswer): Promise<Delivery>;
  steer(ctx: WorkflowSharedContext, contents: readonly Content[]): Promise<Delivery>;
  state(ctx: WorkflowSharedContext): Promise<RunState | null>;
  cancel(ctx: WorkflowSharedContext): Promise<void>;
  announce(ctx: WorkflowSharedContext, url: string): Promise<void>;
  feed(ctx: WorkflowSharedContext, question: FeedQuestion): Promise<FeedPlace | null>;
} = {
  /** An answer that comes before its question is kept. */
  answer: async (ctx, { name: given, value, guess }) => {
    const state = await ctx.get<RunState>(STATE);
    const [name, ...others] = guess === undefined ? [given] : namesOf(guess, state);
    for (const one of [name, ...others]) if ((await peekPromise(ctx, one)) !== undefined) return "already-answered";
    if (state !== null && isOver(state)) return "run-over";
    const before = await settlePromise(ctx, name, value);
    for (const other of others) await settlePromise(ctx, other, value);
    return before === undefined ? "delivered" : "already-answered";
  },

  /** Refused once the run takes no more messages. */
  steer: async (ctx, contents) => {
    const state = await ctx.get<RunState>(STATE);
    if (state !== null && isOver(state)) return "run-over";
    for (let number = 0; ; number++) {
      const before = await settlePromise(ctx, steerName(number), contents);
      if (before === undefined) return "delivered";
      if (before === STEERING_OVER) return "run-over";
    }
  },

  state: async (ctx) => {
    const state = await ctx.get<RunState>(STATE);
    if (state === null) return null;
    // The state is written when the question is asked; answers come later.
    const answers = await RestatePromise.all(state.questions.map(({ name }) => peekPromise(ctx, name)));
    return { ...state, questions: state.questions.filter((_, index) => answers[index] === undefined) };
  },

  cancel: async (ctx) => {
    ctx.cancel(await ctx.promise<InvocationId>("begun").get());
  },

  /** A worker announces where it serves the run's events. */
  announce: async (ctx, url) => {
    for (let number = 1; (await settlePromise(ctx, `feed:${number}`, url)) !== undefined; number++);
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

/** The question that is open about the outcome of a call; while there is none, the ones that may come. */
function namesOf(guess: GuessedQuestion, state: RunState | null): readonly [string, ...string[]] {
  const open = state?.questions.find((one) => one.callId === guess.callId && one.question !== "approval");
  return open === undefined ? possibleNames(guess) : [open.name];
}
