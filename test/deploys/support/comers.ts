import type { AgentOptions, AnyTool, Json, SessionStore } from "@pollux/core";
import { storeLike } from "../../../packages/core/test/helpers/processes.ts";
import { capabilitiesFor, type Death } from "./deaths.ts";
import { ANSWER, NEXT_MESSAGE, QUIET, secretGuard, tripJob, tripModel, tripTools } from "./trip-agent.ts";

/** The next process after the crash: the columns of the table. */
export interface Comer {
  readonly name: string;
  /** The deployed changes to the code that made the run. */
  readonly changes: (about: { readonly death: Death; readonly diedAt: number }) => Partial<AgentOptions>;
  /** Another version of the loop made the run. */
  readonly otherLoop?: true | undefined;
}

/** The error of broken code. */
export const BROKEN = "this code is broken";

function broken(): never {
  throw new Error(BROKEN);
}

const PRICES = { input: 1000, output: 1000 };

function without(name: string): readonly AnyTool[] {
  return tripTools(QUIET).filter((tool) => tool.name !== name);
}

/** The tools with another job instead of theirs. */
function withJob(changes: Parameters<typeof tripJob>[1]): readonly AnyTool[] {
  return [...without("research"), tripJob(QUIET, changes)];
}

/** Its functions leave the next message alone. */
export const COMERS: readonly Comer[] = [
  { name: "the same code", changes: () => ({}) },
  { name: "a limit of two turns", changes: () => ({ limits: { turns: 2 } }) },
  { name: "a limit of one turn", changes: () => ({ limits: { turns: 1 } }) },
  { name: "a limit of one call", changes: () => ({ limits: { toolCalls: 1 } }) },
  { name: "a stop rule that is true", changes: () => ({ stopWhen: [() => true] }) },
  { name: "a stop rule that throws", changes: () => ({ stopWhen: [broken] }) },
  {
    name: "a price table that throws",
    changes: ({ diedAt }) => ({ prices: (_model, at) => (at.getTime() <= diedAt ? broken() : PRICES) }),
  },
  {
    name: "a compaction policy that throws",
    changes: () => ({
      compaction: {
        policy: ({ contents }) => (contents.at(-1)?.parts[0]?.text === NEXT_MESSAGE ? undefined : broken()),
      },
    }),
  },
  {
    name: "a guardrail of messages",
    changes: () => ({
      guardrails: {
        input: [{ name: "trips", check: ({ text }) => (text.includes("trip") ? { stop: "no trips" } : undefined) }],
      },
    }),
  },
  {
    name: "a guardrail of answers",
    changes: () => ({
      guardrails: {
        output: [{ name: "only fine", check: ({ text }) => (text === ANSWER ? undefined : { stop: "not fine" }) }],
      },
    }),
  },
  { name: "approval of payments and looks", changes: () => ({ tools: tripTools(QUIET, ["book", "pay", "look"]) }) },
  { name: "no tool that pays", changes: () => ({ tools: without("pay") }) },
  { name: "no tool that looks", changes: () => ({ tools: without("look") }) },
  { name: "no tool that asks", changes: () => ({ tools: without("ask") }) },
  { name: "no job", changes: () => ({ tools: without("research") }) },
  { name: "a job of another name", changes: () => ({ tools: withJob({ name: "study" }) }) },
  {
    name: "other words and another input of the job",
    changes: () => ({
      tools: withJob({
        description: "Studies a part of the trip.",
        input: { type: "object", properties: { part: { type: "string" } }, required: ["part"] },
      }),
    }),
  },
  {
    name: "another output of the job",
    changes: () => ({ tools: withJob({ output: { type: "object", properties: { found: { type: "string" } } } }) }),
  },
  { name: "no tools", changes: () => ({ tools: [] }) },
  {
    name: "another model",
    changes: ({ death }) => ({ model: tripModel("gemini-other", capabilitiesFor(death)) }),
  },
  { name: "another version of the loop", changes: () => ({}), otherLoop: true },
];

/** The options of the agent after a crash. */
export function optionsOf(comer: Comer, about: { readonly death: Death; readonly diedAt: number }): AgentOptions {
  const changes = comer.changes(about);
  const guardrails = { ...(about.death.guarded === true && secretGuard(QUIET)), ...changes.guardrails };
  return {
    model: tripModel("gemini-scripted", capabilitiesFor(about.death)),
    tools: tripTools(QUIET),
    prices: PRICES,
    ...changes,
    ...(Object.keys(guardrails).length > 0 && { guardrails }),
  };
}

/** The store as the next process sees it. */
export function storeFor({ otherLoop }: Comer, store: SessionStore): SessionStore {
  if (otherLoop !== true) return store;
  const changed = (entry: Json): Json => {
    // A session wrote it.
    const { type, runId, loop } = entry as { readonly type: string; readonly runId?: string; readonly loop?: number };
    return type === "run" && runId?.startsWith("run: ") === true
      ? { ...(entry as object), loop: (loop ?? 0) + 1 }
      : entry;
  };
  return storeLike(store, { load: async (...args) => (await store.load(...args)).map(changed) });
}
