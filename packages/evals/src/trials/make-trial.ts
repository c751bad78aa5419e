import {
  type Agent,
  type Content,
  type Cost,
  type GuardrailAction,
  type Json,
  type RunEvent,
  type RunInput,
  type RunResult,
  runSoFar,
  type Session,
  type SessionEntry,
  type SessionStore,
} from "@pollux/core";
import { buildConversation, type Conversation } from "@pollux/core/conversation";
import { cutLog, recordedCalls } from "@pollux/core/rehearsal";
import type { AnyCase } from "../cases/eval-case.ts";
import { isAgent } from "../cases/define-eval.ts";
import type { AgentWorld, EvalSuite } from "../cases/eval-suite.ts";
import type { ScoreResult } from "../report/eval-run.ts";
import { seededRandom } from "../statistics/random.ts";
import type { SimulatedUser } from "../users/simulated-user.ts";
import { talk } from "../users/talk.ts";
import { InvalidTrial, openWorld, type SeenInWorld } from "../worlds/trial-world.ts";
import type { World } from "../worlds/world.ts";
import type { TrialJob } from "./plan-trials.ts";

/** What is kept of a trial besides the log of its session, as JSON in the session's metadata. */
export interface KeptTrial {
  /** Nothing in it runs again, except scores. */
  readonly isOver: boolean;
  /** Why it cannot be judged. */
  readonly invalid?: string | undefined;
  /** Time of the agent alone, so far. */
  readonly durationMs: number;
  readonly guardrails: readonly (readonly GuardrailAction[])[];
  readonly seen: SeenInWorld;
  /** Cost of the agent, so far. */
  readonly cost: number;
  /** The messages of a simulated user, and their cost. */
  readonly said?: readonly string[] | undefined;
  readonly userCost?: number | undefined;
  readonly judgeCost?: number | undefined;
  /** The scores by judges, by key. */
  readonly paid?: { readonly [key: string]: ScoreResult } | undefined;
}

/** The result of a trial. */
export interface MadeTrial {
  readonly kept: KeptTrial;
  /** The error that ended it, for a reason outside of the agent. */
  readonly error?: Error | undefined;
  readonly input: unknown;
  /** Results of its runs, oldest first. */
  readonly results: readonly RunResult<unknown>[];
  /** Only the turns from this one on are the trial's. */
  readonly firstTurn: number;
  readonly conversation: () => Conversation;
  readonly model: string;
  /** Stores the trial again, for example with scores by judges. */
  readonly keep: (kept: KeptTrial) => Promise<void>;
}

/** What all trials share. */
export interface TrialSetting {
  readonly store: SessionStore;
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/**
 * Makes a trial in its own session, continues one that was cut off, or reads a finished one.
 *
 * Without core's `map`: an agent is made for each trial, a conversation is several runs of a session, and a simulated user answers in between.
 *
 * @throws The signal's reason when it aborts: finished work is kept. Also any error from the suite's agent function.
 */
export async function makeTrial<Expected>(job: TrialJob<Expected>, setting: TrialSetting): Promise<MadeTrial> {
  const { suite, sessionId } = job;
  const { one, world } = job.plan;
  const { store, signal, clock } = setting;
  const runIdOf = (index: number): string => `${sessionId}#${index + 1}`;
  const begun = beginning(one, world, runIdOf(0));
  if (!job.isBegun && begun.entries.length > 0) await store.append(sessionId, 0, begun.entries);
  const made = "recording" in one ? recordedCalls(await store.load(sessionId), runIdOf(0)) : [];
  const around = openWorld(job, clock, made);
  let kept: KeptTrial = job.kept ?? { isOver: false, durationMs: 0, guardrails: [], seen: around.seen, cost: 0 };
  const agent = await openAgent({ ...job, ...job.plan }, around.now);
  const session: Session = agent.session({ id: sessionId, store });
  const keep = async (next: KeptTrial): Promise<void> => {
    await session.describe({ metadata: { trial: JSON.stringify(next) } });
  };

  const results: RunResult<unknown>[] = [];
  const say: Say = async (message) => {
    const index = results.length;
    const stream = session.continueStream({
      ...begun.run,
      ...(message !== undefined && { message }),
      runId: runIdOf(index),
      anyLoopVersion: true,
      // The suite's, of the type that its agent needs.
      context: suite.context as undefined,
      ...(one.metadata !== undefined && { metadata: one.metadata }),
      signal: AbortSignal.any([signal, around.spoiled]),
      rehearsal: around.rehearsal,
    });
    const began = clock();
    const guardrails: GuardrailAction[] = [];
    let isMade = false;
    try {
      for await (const event of stream) {
        isMade ||= event.replayed !== true;
        if (event.type === "guardrail" && event.turn >= begun.firstTurn) guardrails.push(actionOf(event));
      }
      const result = await stream.result();
      results.push(result);
      if (result.stopReason === "needs-outcome" || result.stopReason === "needs-approval")
        throw new InvalidTrial(`it waits for an answer about "${result.pending[0]?.call.name}", which nobody gives`);
      return result;
    } finally {
      // A run that is only read again takes none of the agent's time.
      const durationMs = kept.durationMs + (isMade ? clock() - began : 0);
      kept = { ...kept, durationMs, guardrails: kept.guardrails.toSpliced(index, 1, guardrails), seen: around.seen };
    }
  };

  let error: Error | undefined;
  try {
    // A trial that ended because it is invalid doesn't continue.
    const conversation = kept.invalid === undefined && (await sayAll(one, begun.message, say, kept, signal));
    kept = { ...kept, ...conversation, isOver: true };
  } catch (thrown) {
    error = thrown instanceof Error ? thrown : new Error(JSON.stringify(thrown));
  }
  // Its reason is an InvalidTrial.
  const problem = around.spoiled.aborted ? (around.spoiled.reason as InvalidTrial) : error;
  if (problem instanceof InvalidTrial) kept = { ...kept, invalid: problem.message, seen: around.seen, isOver: true };
  const added = await store.load(sessionId, begun.entries.length);
  const costs = [...results.map((result) => result.cost), error && runSoFar(error)?.cost];
  // The result of a fork includes the cost of its beginning.
  const cost = begun.firstTurn > 1 ? costOfSteps(added) : costs.reduce<number>((sum, paid) => sum + (paid ?? 0), 0);
  if (job.kept?.isOver !== true) {
    kept = { ...kept, cost };
    await keep(kept);
  }
  signal.throwIfAborted();

  return {
    kept,
    ...(problem !== undefined && !(problem instanceof InvalidTrial) && { error: problem }),
    input: kept.said ?? inputOf(one, begun.message),
    firstTurn: begun.firstTurn,
    results,
    // As the session wrote them. Few scorers look at it.
    conversation: () => buildConversation(sessionId, [...begun.entries, ...added] as unknown as SessionEntry[]),
    model: agent.model.id,
    keep,
  };
}

/** The agent under test, made for one trial of a case. */
export async function openAgent({ suite, one, number, variant }: AgentOfTrial, now: () => number): Promise<Agent> {
  const random = seededRandom(`${suite.name}/${one.id}/${number}`);
  const world: AgentWorld = { now, random, ...(variant !== undefined && { variant }) };
  const agent = typeof suite.agent === "function" ? await suite.agent(world) : suite.agent;
  if (!isAgent(agent)) throw new TypeError(`suite "${suite.name}": its agent function returned no Agent`);
  return agent;
}

/** The trial that an agent is made for. */
interface AgentOfTrial {
  readonly suite: Pick<EvalSuite, "agent" | "name">;
  readonly one: Pick<AnyCase, "id">;
  readonly number: number;
  readonly variant?: string | undefined;
}

/** Sends a message, or continues without one, and returns the result of the run: the stored one if it is over. */
type Say = (message: RunInput | undefined) => Promise<RunResult<unknown>>;

/** How the session of a trial begins. */
interface Beginning {
  readonly entries: readonly Json[];
  /** Absent when a run continues. */
  readonly message?: RunInput | undefined;
  readonly run: { readonly limits?: { readonly turns: number } | undefined };
  /** The turns from here on are made and scored. */
  readonly firstTurn: number;
}

function beginning<Expected>(one: AnyCase<Expected>, world: World, newRunId: string): Beginning {
  if (!("recording" in one)) return { entries: [], run: {}, firstTurn: 1 };
  const { recording, runId, turn = 1, turns } = one;
  if (world !== "fork") {
    const { entries, message } = cutLog(recording.log, { runId });
    // Contents, as the log has them.
    return { entries, message: message as unknown as readonly Content[], run: {}, firstTurn: 1 };
  }
  const { entries } = cutLog(recording.log, { runId, turn, newRunId });
  const limits = turns === undefined ? {} : { limits: { turns: turn - 1 + turns } };
  return { entries, run: limits, firstTurn: turn };
}

/** Sends the messages of the case. @returns What to keep about a simulated user. */
async function sayAll<Expected>(
  one: AnyCase<Expected>,
  message: RunInput | undefined,
  say: Say,
  kept: KeptTrial,
  signal: AbortSignal,
): Promise<Pick<KeptTrial, "said" | "userCost">> {
  if ("recording" in one) {
    await say(message);
    return {};
  }
  const { input } = one;
  if (typeof input === "object" && "kind" in input) {
    // Messages that were sent stay the same, word for word.
    if (kept.said !== undefined) {
      for (const words of kept.said) await say(words);
      return {};
    }
    return await saySimulated(input, say, signal);
  }
  const messages = typeof input === "object" && "messages" in input ? input.messages : [input];
  for (const words of messages) await say(words);
  return {};
}

async function saySimulated(
  user: SimulatedUser,
  say: Say,
  signal: AbortSignal,
): Promise<Pick<KeptTrial, "said" | "userCost">> {
  const hear = async (words: string): Promise<string | undefined> => {
    const { stopReason, text } = await say(words);
    return stopReason === "finished" ? text : undefined;
  };
  const { messages, outcome, why, cost } = await talk(user, hear, { signal });
  if (outcome === "failed") throw new Error(`the simulated user failed: ${why}`);
  return { said: messages, ...(cost !== undefined && { userCost: cost }) };
}

function inputOf<Expected>(one: AnyCase<Expected>, message: RunInput | undefined): unknown {
  if ("recording" in one) return message;
  return typeof one.input === "object" && "messages" in one.input ? one.input.messages : one.input;
}

/** Cost of the steps in a log, including runs inside calls. */
function costOfSteps(entries: readonly Json[]): number {
  let sum = 0;
  for (const entry of entries) {
    // Each may be absent, or something else.
    const { type, outcome }: { readonly type?: unknown; readonly outcome?: unknown } = Object(entry);
    const { cost, nested = [] }: { readonly cost?: number; readonly nested?: readonly Cost[] } = Object(
      Object(outcome).value,
    );
    if (type === "step") sum += nested.reduce((total, run) => total + (run.cost ?? 0), cost ?? 0);
  }
  return sum;
}

function actionOf(event: Extract<RunEvent, { readonly type: "guardrail" }>): GuardrailAction {
  const { type: _, turn: _turn, side: _side, keeps: _keeps, replayed: _replayed, ...action } = event;
  return action;
}
