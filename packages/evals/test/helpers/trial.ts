import type { Agent, GuardrailAction, PendingCall, RunInput, RunResult } from "@pollux/core";
import { buildConversation } from "@pollux/core/conversation";
import { NO_USAGE } from "@pollux/core/model";
import type { Trial } from "../../src/index.ts";

/** A trial in which nothing happened, but for these fields. */
export function trial(fields: Partial<Trial> = {}): Trial {
  const { results = [], calls = [], usage = NO_USAGE, cost, durationMs = 0 } = fields;
  return {
    caseId: "case",
    number: 1,
    input: "Hi",
    output: "",
    text: "",
    expected: undefined,
    results: [],
    calls: [],
    approvals: [],
    guardrails: [],
    conversation: buildConversation("case", []),
    usage: NO_USAGE,
    durationMs,
    metrics: {
      turns: results.reduce((sum, { turns }) => sum + turns, 0),
      calls: calls.length,
      inputTokens: usage.inputTokens,
      outputTokens: usage.outputTokens + usage.thoughtTokens,
      durationMs,
      ...(cost !== undefined && { cost }),
    },
    world: "live",
    signal: new AbortController().signal,
    ...fields,
  };
}

/** A trial of one run. */
export async function tryAgent(agent: Agent, input: RunInput, fields: Partial<Trial> = {}): Promise<Trial> {
  const guardrails: GuardrailAction[] = [];
  const approvals: PendingCall[] = [];
  const run = agent.stream(input);
  for await (const event of run) {
    if (event.type === "guardrail") guardrails.push(event);
    if (event.type === "tool-pending") approvals.push(event);
  }
  const result: RunResult<unknown> = await run.result();
  const { text, toolCalls: calls, usage, cost } = result;
  const output = result.stopReason === "finished" ? (result.output ?? text) : text;
  const ran = { input, output, text, result, results: [result], calls, usage, cost };
  return trial({ ...ran, approvals, guardrails, ...fields });
}
