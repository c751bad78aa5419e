// Measures what opening and appending costs with a short and with a long session, in a process that does nothing else.
//   measure-sizes.ts KIND PATH
import { readFileSync } from "node:fs";
import { Agent, MemoryStore, type SessionStore } from "@pollux/core";
import { say, ScriptedModel } from "@pollux/core/testing";
import type { Json } from "../../../src/internal/json.ts";
import { type Kind, openStore } from "./open-store.ts";

const APPENDS = 200;

const [kind = "", path = ""] = process.argv.slice(2);
// The test names no others.
const store = openStore(kind as Kind, path);

const figures: { [name: string]: number } = {};
for (const [name, turns] of [
  ["short", 10],
  ["long", 10_000],
] as const) {
  await fill(store, name, turns);
  const agent = new Agent({ model: new ScriptedModel(say("yes")) });

  const opening = start();
  const session = agent.session({ id: name, store: openStore(kind as Kind, path) });
  const history = await session.history();
  const opened = opening();
  figures[`${name} contents`] = history.length;
  figures[`${name} open ms`] = opened.ms;
  figures[`${name} open bytes`] = opened.bytes;

  const appending = start();
  for (let n = 0; n < APPENDS; n++) await session.steer(`message ${String(n).padStart(3, "0")}`);
  const appended = appending();
  figures[`${name} append ms`] = appended.ms / APPENDS;
  figures[`${name} append bytes`] = appended.bytes / APPENDS;

  const asking = start();
  for (let n = 0; n < APPENDS; n++) await session.state();
  figures[`${name} refresh bytes`] = asking().bytes / APPENDS;
}
process.stdout.write(`${JSON.stringify(figures)}\n`);

/** The entries of one run, once for each turn. */
async function fill(into: SessionStore, id: string, turns: number): Promise<void> {
  const memory = new MemoryStore();
  const model = new ScriptedModel(say("An answer of some length, as answers are. ".repeat(5)));
  await new Agent({ model }).session({ id, store: memory }).send("A question?");
  const run = await memory.load(id);
  // The first entry of a session begins a run.
  const { runId } = run[0] as { readonly runId: string };
  const text = JSON.stringify(run);
  for (let turn = 0; turn < turns; turn += 10) {
    const runs = Array.from({ length: 10 }, (_, index) => text.replaceAll(runId, `run-${turn + index}`));
    await into.append(
      id,
      turn * run.length,
      runs.flatMap((one) => JSON.parse(one) as Json[]),
    );
  }
}

function start(): () => { readonly ms: number; readonly bytes: number } {
  const bytes = bytesMoved();
  const time = performance.now();
  return () => ({ ms: performance.now() - time, bytes: bytesMoved() - bytes });
}

/** Bytes this process has read and written. */
function bytesMoved(): number {
  try {
    const [, read, written] = /rchar: (\d+)\nwchar: (\d+)/.exec(readFileSync("/proc/self/io", "utf8")) ?? [];
    return Number(read) + Number(written);
  } catch {
    return 0;
  }
}
