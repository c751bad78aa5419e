import { Agent, type AgentOptions, type Answers, defineTool, type SessionStore } from "@pollux/core";
import type { ScriptLine } from "@pollux/core/testing";
import { ScriptedModel } from "@pollux/core/testing";
import { z } from "zod";
import { SessionFold } from "../../src/inspection/session-fold.ts";
import { answersTo } from "../../../core/test/helpers/answers.ts";
import type { Measures } from "../../src/inspection/run-fold.ts";

/** Adds two numbers. */
export const add = defineTool({
  name: "add",
  description: "Adds two numbers",
  input: z.object({ a: z.number(), b: z.number() }),
  run: ({ a, b }) => a + b,
});

/** Always fails. */
export const fail = defineTool({
  name: "fail",
  description: "Fails",
  input: z.object({}),
  exposeErrors: true,
  run: (): string => {
    throw new Error("the disk is full");
  },
});

/** Needs approval. */
export const pay = defineTool({
  name: "pay",
  description: "Pays a bill",
  input: z.object({ amount: z.number() }),
  needsApproval: true,
  run: ({ amount }) => `paid ${amount}`,
});

/** A session of an agent with scripted answers, and tools that add, fail and pay. */
export function sessionOf(
  store: SessionStore,
  script: readonly ScriptLine[],
  options: Partial<AgentOptions> & { readonly id?: string } = {},
): ReturnType<Agent["session"]> {
  const { id = "chat-1", ...rest } = options;
  const agent = new Agent({ model: new ScriptedModel(...script), tools: [add, fail, pay], ...rest });
  return agent.session({ id, store });
}

/** Answers by call id, keyed by the tokens of their questions. */
export async function keyed<Given extends Answers>(store: SessionStore, given: Given): Promise<Given> {
  return await answersTo(sessionOf(store, []), given);
}

/** The log of a session as the inspector reads it. */
export async function foldOf(store: SessionStore, id: string = "chat-1", measures?: Measures): Promise<SessionFold> {
  const fold = new SessionFold(id, measures);
  for (const entry of await store.load(id)) fold.add(entry);
  return fold;
}
