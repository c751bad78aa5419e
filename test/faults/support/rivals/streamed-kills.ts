import { once } from "node:events";
import { existsSync } from "node:fs";
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

/** When to kill a process: depends on its notes, since a busy machine gets less done in the same time. */
export interface StreamedMoment {
  /** Whether the store must have acknowledged a draft. */
  readonly isKept: boolean;
  /** How many further notes to wait for. */
  readonly more: number;
}

/** Processes to kill while they stream a text. */
export interface StreamedKills {
  readonly store: SessionStore;
  readonly place: SharedStore;
  /** Address of a service that streams slowly. */
  readonly url: string;
  readonly moments: readonly StreamedMoment[];
  readonly tally: Tally;
  readonly row: string;
}

/** Kills processes in the middle of a text, and compares the displayed text with the next message's history. */
export async function killWhileStreaming({
  store,
  place,
  url,
  moments,
  tally,
  row,
}: StreamedKills): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), "pollux-shown-"));
  const lostMs: number[] = [];
  try {
    const found = await sideBySide(moments, 3, async (moment, index) => {
      const id = `${row}-${index}`;
      const notes = join(folder, id);
      await showAndKill({ store: place, url, id, notes }, moment);
      const { shown, acknowledged, times } = summaryOf(notes);
      // The next message closes the run. After a crash on another machine, it waits for the lease, which a server may renew for a process
      // that died during its request.
      const session = new Agent({ model: new ScriptedModel(say("Well.")) }).session({ id, store });
      await session.send("And then?", { whileRunning: "wait" });
      const kept = (await session.history())
        .flatMap(({ role, parts }) => (role === "model" ? parts.map(({ text }) => text ?? "") : []))
        .slice(0, -1)
        .join("");
      tally.count(row, "killed");
      tally.count(row, "characters shown", shown);
      tally.count(row, "kept", Math.min(kept.length, shown));
      const firstLost = times.find(([length]) => length > kept.length)?.[1];
      if (firstLost !== undefined) lostMs.push((times.at(-1)?.[1] ?? 0) - firstLost);
      return tally.found(row, `killed at ${JSON.stringify(moment)}`, [
        ...(LONG_TEXT.startsWith(kept) ? [] : [`doubled: what was kept is not the beginning of the text: ${kept}`]),
        // Acknowledged drafts must be there, no matter what the machine did in between.
        ...(kept.length >= acknowledged ? [] : [`lost: ${kept.length} characters of ${acknowledged} that were kept`]),
      ]);
    });
    const most = Math.round(Math.max(0, ...lostMs));
    tally.note(`${row}: the text that was lost had been shown for at most ${most} ms`);
    return found.flat();
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function showAndKill(order: StreamOrder, { isKept, more }: StreamedMoment): Promise<void> {
  const child = startProgram(new URL("./stream-process.ts", import.meta.url));
  await once(child, "message");
  const exit = once(child, "exit");
  child.send(order);
  const state = { isOver: false };
  child.once("message", () => (state.isOver = true));
  const isThere = (): boolean => {
    const notes = notesIn(order.notes);
    const from = isKept ? notes.findIndex((one) => "kept" in one) : 0;
    return from !== -1 && notes.length > from + more;
  };
  while (!isThere()) {
    if (state.isOver) throw new Error("a text of a minute and more ended before the moment came");
    await sleep(5);
  }
  child.kill("SIGKILL");
  await exit;
}

/** Empty while the file is missing. */
function notesIn(file: string): ReturnType<typeof readNotes> {
  return existsSync(file) ? readNotes(file) : [];
}

function summaryOf(notes: string): {
  readonly shown: number;
  readonly acknowledged: number;
  /** How many characters were shown, and when. */
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
