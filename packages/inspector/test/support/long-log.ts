import type { Json } from "@pollux/core";

const TURNS_OF_A_RUN = 100;

/** The log of an agent with one tool after some turns; made without a run, which would take long. */
export function longLog(turns: number): readonly Json[] {
  const entries: Json[] = [];
  for (let first = 0; first < turns; first += TURNS_OF_A_RUN) {
    const runId = `run-${first / TURNS_OF_A_RUN}`;
    const base = 1_700_000_000_000 + first * 2000;
    entries.push(entry("run", runId, base, { model: "gemini-3.8-flash", input: [user(`Question ${runId}`)] }));
    for (let turn = 1; turn <= TURNS_OF_A_RUN; turn++) {
      const at = base + turn * 1500;
      entries.push(entry("step", runId, at + 900, { ...modelStep(turn), outcome: answer(turn, at) }));
      entries.push(entry("step", runId, at + 1000, { ...callStep(turn), outcome: result(turn, at) }));
    }
    entries.push(entry("end", runId, base + 160_000, { stopReason: "finished", open: [], turns: TURNS_OF_A_RUN }));
  }
  return entries;
}

function entry(type: string, runId: string, at: number, rest: { readonly [name: string]: Json }): Json {
  return { v: 3, at, type, runId, ...rest };
}

function user(text: string): Json {
  return { role: "user", parts: [{ text }] };
}

/** Name and place of the request of a turn. */
function modelStep(turn: number): { readonly step: string; readonly place: Json } {
  return { step: `model:${turn}`, place: { kind: "model", phase: "work", turn, attempt: 0 } };
}

/** Name and place of its one call. */
function callStep(turn: number): { readonly step: string; readonly place: Json } {
  const callId = `call:${turn}.0`;
  return { step: callId, place: { kind: "call", turn, callId, attempt: 0 } };
}

function answer(turn: number, at: number): Json {
  const parts = [{ text: `Step ${turn}.` }, { functionCall: { name: "add", args: { a: turn, b: 1 } } }];
  const usage = { requests: 1, inputTokens: 1000 + turn, outputTokens: 20, totalTokens: 1020 + turn };
  const response = { content: { role: "model", parts }, finishReason: "STOP", usage, candidate: {}, envelope: {} };
  return { ok: true, value: { startedAt: at, endedAt: at + 900, response } };
}

function result(turn: number, at: number): Json {
  const part = { functionResponse: { name: "add", response: { output: turn + 1 } } };
  return { ok: true, value: { startedAt: at + 905, endedAt: at + 1000, durationMs: 95, part, after: [], nested: [] } };
}
