import type { Content, RunResult, Session } from "@pollux/core";
import { type Effect, endings } from "./effects.ts";
import { type Errand, receiptsIn, receiptsOf } from "./errand.ts";

/** The problems of an ended errand: each item must have happened once, and be in the history once, in order. */
export function problemsOfErrand(
  errand: Errand,
  history: readonly Content[],
  effects: readonly Effect[],
): readonly string[] {
  const problems: string[] = [];
  const expected = receiptsOf(errand);
  // A misbehaving model may have made other calls.
  const receipts = receiptsIn(history).filter((one) => expected.includes(one));
  if (receipts.toSorted().join() !== expected.toSorted().join()) {
    problems.push(`lost: the history holds ${receipts.join(", ")}`);
  }
  const ended = endings(effects);
  for (const item of expected) {
    const times = ended.get(item) ?? 0;
    if (times === 0) problems.push(`lost: ${item} never happened`);
    if (times > 1) problems.push(`doubled: ${item} happened ${times} times`);
  }
  const problem = illegal(history);
  if (problem !== undefined) problems.push(`lost: ${problem}`);
  return problems;
}

/** Why the service would refuse a history plus a message; `undefined` if it would not. */
export function illegal(history: readonly Content[]): string | undefined {
  for (const [index, { role, parts }] of history.entries()) {
    if (parts.length === 0) return `content ${index} is empty`;
    const calls = role === "model" ? parts.flatMap(({ functionCall }) => functionCall ?? []) : [];
    if (calls.length === 0) continue;
    const answers = (history[index + 1]?.parts ?? []).map(({ functionResponse }) => functionResponse?.name);
    if (answers.join() !== calls.map(({ name }) => name).join()) {
      return `the calls of content ${index} are answered by ${answers.join() || "nothing"}`;
    }
  }
  return undefined;
}

/** Continues until nothing is pending. Answers whether a call happened from the effects. */
export async function answerUnknown(
  session: Session,
  result: RunResult,
  effects: readonly Effect[],
): Promise<RunResult> {
  let now = result;
  while ("pending" in now) {
    const { runId, pending } = now;
    const outcomes = pending.map(({ callId, token }) => {
      const end = effects.find(({ step, key }) => step === "end" && key === `${runId}/${callId}`);
      return [token, end === undefined ? ({ notExecuted: true } as const) : { output: end.what }];
    });
    now = await session.resume({ outcomes: Object.fromEntries(outcomes) });
  }
  return now;
}
