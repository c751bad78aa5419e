// What the inspector takes to show a long session. A program of `pnpm bench --metrics inspector`.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Json } from "@pollux/core";
import { JsonlStore } from "@pollux/core/node";
import { measureInspector } from "./inspector-program.ts";
import { printSamples, type ProgramSample } from "./measure-programs.ts";

// `measureProgram` starts it.
const { quick } = JSON.parse(process.argv[2] ?? "{}") as { readonly quick?: boolean };
const TURNS = quick === true ? 100 : 10_000;
const TURNS_OF_A_RUN = 10;
const ID = "long";

const folder = await mkdtemp(join(tmpdir(), "pollux-bench-inspector-"));
try {
  await new JsonlStore(folder).append(ID, 0, longLog(TURNS));
  const runs = Array.from({ length: Math.ceil(TURNS / TURNS_OF_A_RUN) }, (_, run) => `run-${run}`);
  const { starts, views, steps, jumps, memory, pageMemory } = await measureInspector(folder, ID, runs, 5);
  const row = (id: string, label: string, values: readonly number[], unit = "ms"): ProgramSample => ({
    id: `inspector-${id}`,
    label,
    unit,
    driver: "pollux",
    values,
  });
  printSamples([
    row("start", "`pollux inspect`, from the start of the process to its first answer", starts),
    row("view", "the session's address to its last turn on the screen: first, and reloads", views),
    row("step", "a key to the next turn on the screen", steps),
    row("jump", "an address to any other turn on the screen", jumps),
    row("memory", "memory of the process with the session open", [memory], "MB"),
    row("page", "memory of the page's JavaScript", [pageMemory], "MB"),
  ]);
} finally {
  await rm(folder, { recursive: true });
}

/** A log as an agent with one tool writes it: runs whose turns each make a call, except the last, which answers. */
function longLog(turns: number): readonly Json[] {
  const entries: Json[] = [];
  for (let run = 0; run * TURNS_OF_A_RUN < turns; run++) {
    const runId = `run-${run}`;
    const at = 1_700_000_000_000 + run * 60_000;
    const origin = { endpoint: "https://generativelanguage.googleapis.com", family: "gemini-3" };
    const input = [{ role: "user", parts: [{ text: `Question ${run}: how much is it all together?` }] }];
    entries.push({ v: 3, at, type: "run", runId, loop: 4, model: "gemini-flash-latest", origin, input });
    for (let turn = 1; turn <= TURNS_OF_A_RUN; turn++) {
      const isLast = turn === TURNS_OF_A_RUN;
      entries.push({
        v: 3,
        at: at + turn * 1000,
        type: "step",
        runId,
        ...modelStep(turn),
        outcome: answer(turn, isLast, at),
      });
      if (isLast) continue;
      entries.push({
        v: 3,
        at: at + turn * 1000 + 20,
        type: "step",
        runId,
        ...callStep(turn),
        outcome: result(turn, at),
      });
      entries.push({ v: 3, at: at + turn * 1000 + 30, type: "turn", runId, ...turnRecord(turn, isLast) });
    }
    const end = {
      stopReason: "finished",
      open: [turnRecord(TURNS_OF_A_RUN, true)],
      turns: TURNS_OF_A_RUN,
      toolCalls: TURNS_OF_A_RUN - 1,
      usage: usageOf(0),
    };
    entries.push({ v: 3, at: at + 12_000, type: "end", runId, ...end });
  }
  return entries;
}

/** What a turn added to the conversation. */
function turnRecord(turn: number, isLast: boolean): { readonly [name: string]: Json } {
  const callId = `call:${turn}.0`;
  const answered = isLast ? [] : [{ calls: [callId] }];
  return {
    turn,
    contents: [{ model: `model:${turn}` }, ...answered],
    steps: [{ step: `model:${turn}` }],
    calls: isLast ? [] : [{ callId, step: callId }],
  };
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

function answer(turn: number, isLast: boolean, at: number): Json {
  const call = {
    functionCall: { id: `c${turn}`, name: "add", args: { a: turn, b: 2 } },
    thoughtSignature: "QUJD".repeat(150),
  };
  const parts = isLast
    ? [{ text: "It is all together. ".repeat(20) }]
    : [{ text: "I add the next one.", thought: true }, call];
  const usageMetadata = { promptTokenCount: 1000 + turn, candidatesTokenCount: 20, totalTokenCount: 1020 + turn };
  return {
    ok: true,
    value: {
      startedAt: at + turn * 1000 - 900,
      endedAt: at + turn * 1000,
      response: {
        content: { role: "model", parts },
        finishReason: "STOP",
        usage: usageOf(turn),
        candidate: { finishReason: "STOP", index: 0 },
        envelope: { modelVersion: "gemini-3.8-flash", responseId: `r${turn}`, usageMetadata },
      },
    },
  };
}

function result(turn: number, at: number): Json {
  const part = { functionResponse: { id: `c${turn}`, name: "add", response: { output: turn + 2 } } };
  const times = { startedAt: at + turn * 1000 + 5, endedAt: at + turn * 1000 + 20, durationMs: 15 };
  return { ok: true, value: { ...times, part, after: [], nested: [] } };
}

function usageOf(turn: number): Json {
  return {
    requests: 1,
    inputTokens: 1000 + turn,
    cachedTokens: 512,
    outputTokens: 20,
    thoughtTokens: 0,
    toolUseTokens: 0,
    totalTokens: 1020 + turn,
    contextTokens: 1000 + turn,
    searchQueries: 0,
    incomplete: false,
  };
}
