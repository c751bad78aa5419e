// Measures the cost of opening and appending, with a short and a long session, in a process that does nothing else.
//   measure-sizes.ts KIND PATH TURNS APPENDS
import { readFileSync } from "node:fs";
import { Agent, MemoryStore, type Session, type SessionStore } from "@pollux/core";
import { say, ScriptedModel } from "@pollux/core/testing";
import type { Json } from "../../../src/internal/json.ts";
import { type Kind, openStore } from "./open-store.ts";

const [kind = "", path = "", turnsOfLong = "", appends = ""] = process.argv.slice(2);
const APPENDS = Number(appends);
// The test names no others.
const store = openStore(kind as Kind, path);

interface Cost {
  /** Processor time in microseconds, which excludes the machine's other work. */
  readonly us: number;
  /** Read and written. */
  readonly bytes: number;
}

const figures: { [name: string]: number } = {};
for (const [name, turns] of [
  ["short", 10],
  ["tenth", Number(turnsOfLong) / 10],
  ["long", Number(turnsOfLong)],
] as const) {
  await fill(store, name, turns);
  const agent = new Agent({ model: new ScriptedModel(say("yes")) });

  let session: Session = agent.session({ id: name, store });
  const opened: Cost[] = [];
  for (let n = 0; n < 3; n++) {
    const opening = start();
    session = agent.session({ id: name, store: openStore(kind as Kind, path) });
    figures[`${name} contents`] = (await session.history()).length;
    opened.push(opening());
  }
  figures[`${name} open us`] = least(opened);
  figures[`${name} open bytes`] = Math.max(...opened.map(({ bytes }) => bytes));

  const appended: Cost[] = [];
  for (let n = 0; n < APPENDS; n++) {
    const appending = start();
    await session.steer(`message ${String(n).padStart(3, "0")}`);
    appended.push(appending());
  }
  // An append may include cleanup: SQLite empties its log now and then.
  figures[`${name} append us`] = least(appended);
  figures[`${name} append bytes`] = median(appended.map(({ bytes }) => bytes));
  figures[`${name} mean append bytes`] = appended.reduce((sum, { bytes }) => sum + bytes, 0) / APPENDS;

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
  const atOnce = Math.min(100, turns);
  for (let turn = 0; turn < turns; turn += atOnce) {
    const runs = Array.from({ length: atOnce }, (_, index) => text.replaceAll(runId, `run-${turn + index}`));
    await into.append(
      id,
      turn * run.length,
      runs.flatMap((one) => JSON.parse(one) as Json[]),
    );
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

/** The time of the cheapest: the others may have collected garbage. */
function least(costs: readonly Cost[]): number {
  return Math.min(...costs.map(({ us }) => us));
}

function start(): () => Cost {
  const bytes = bytesMoved();
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return { us: user + system, bytes: bytesMoved() - bytes };
  };
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
