import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent, type SessionStore } from "@pollux/core";
import { say, ScriptedModel } from "@pollux/core/testing";
import { startProgram } from "../processes.ts";
import { sideBySide } from "../side-by-side.ts";
import type { Tally } from "../tally.ts";
import type { SharedStore } from "./rival-messages.ts";
import type { StreamOrder } from "./stream-process.ts";
import { LONG_TEXT, readNotes } from "./streamed-text.ts";

/** Processes that are killed while a text is streamed to somebody. */
export interface StreamedKills {
  readonly store: SessionStore;
  readonly place: SharedStore;
  /** Of a service that streams slowly. */
  readonly url: string;
  /** When they are killed, in milliseconds after the first text. */
  readonly afterMs: readonly number[];
  readonly tally: Tally;
  readonly row: string;
}

/** Kills processes in the middle of a text, and compares what was shown with what the next message finds. */
export async function killWhileStreaming({
  store,
  place,
  url,
  afterMs,
  tally,
  row,
}: StreamedKills): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), "pollux-shown-"));
  const lostMs: number[] = [];
  try {
    const found = await sideBySide(afterMs, 3, async (ms, index) => {
      const id = `${row}-${index}`;
      const notes = join(folder, id);
      await showAndKill({ store: place, url, id, notes }, ms);
      const { shown, acknowledged, times } = summaryOf(notes);
      // The next message closes the run. After a crash on another machine it waits for the lease.
      const session = new Agent({ model: new ScriptedModel(say("Well.")) }).session({ id, store });
      await session.send("And then?");
      const kept = (await session.history())
        .flatMap(({ role, parts }) => (role === "model" ? parts.map(({ text }) => text ?? "") : []))
        .slice(0, -1)
        .join("");
      tally.count(row, "killed");
      tally.count(row, "characters shown", shown);
      tally.count(row, "kept", Math.min(kept.length, shown));
      const firstLost = times.find(([length]) => length > kept.length)?.[1];
      if (firstLost !== undefined) lostMs.push((times.at(-1)?.[1] ?? 0) - firstLost);
      return tally.found(row, `killed after ${Math.round(ms)} ms`, [
        ...(LONG_TEXT.startsWith(kept) ? [] : [`doubled: what was kept is not the beginning of the text: ${kept}`]),
        // What was acknowledged is there, whatever the machine did in between.
        ...(kept.length >= acknowledged ? [] : [`lost: ${kept.length} characters of ${acknowledged} that were kept`]),
      ]);
    });
    const most = Math.round(Math.max(0, ...lostMs));
    tally.note(`${row}: the text that was lost had been shown for at most ${most} ms`);
    return [
      ...found.flat(),
      // Half a second, and what a write takes; a multiple of it on a machine that is busy.
      ...(most > 2000 ? tally.found(row, "", [`lost: text that had been shown for ${most} ms`]) : []),
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function showAndKill(order: StreamOrder, ms: number): Promise<void> {
  const child = startProgram(new URL("./stream-process.ts", import.meta.url));
  await once(child, "message");
  const exit = once(child, "exit");
  child.send(order);
  for (let begun = false; !begun; begun = hasShown(order.notes)) await sleep(5);
  await sleep(ms);
  child.kill("SIGKILL");
  await exit;
}

function hasShown(notes: string): boolean {
  try {
    return readNotes(notes).length > 0;
  } catch {
    return false;
  }
}

function summaryOf(notes: string): {
  readonly shown: number;
  readonly acknowledged: number;
  /** How many characters were shown when. */
  readonly times: readonly (readonly [length: number, atMs: number])[];
} {
  const all = readNotes(notes);
  const times = all.flatMap((one) => ("shown" in one ? [[one.shown, one.atMs] as const] : []));
  const acknowledged = all.findLast((one) => "kept" in one);
  return {
    shown: times.at(-1)?.[0] ?? 0,
    acknowledged: acknowledged !== undefined && "kept" in acknowledged ? acknowledged.kept : 0,
    times,
  };
}
