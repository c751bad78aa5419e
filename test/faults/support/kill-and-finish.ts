import type { GenerateContentRequest } from "@pollux/core/wire";
import { readEffects } from "./effects.ts";
import { type Errand, messageOf, receiptsIn } from "./errand.ts";
import type { Places } from "./places.ts";
import { type AgentProcess, openProcess } from "./processes.ts";
import type { KillPoint, Report, StorePlace, Work } from "./process-messages.ts";
import {
  answeredCalls,
  entriesOf,
  lostEntries,
  problemsOfReport,
  problemsOfSession,
  recordedCalls,
} from "./stored-session.ts";
import { Tally } from "./tally.ts";

/** When to kill a process: at a place in its log, or after a time in milliseconds. */
export type Moment = KillPoint | { readonly afterMs: number };

/** The counts of killed processes. */
export function killTally(title: string): Tally {
  return new Tally(title, [
    "killed",
    "before it began",
    "when all was done",
    "ran again, as it may",
    "asked about",
    "of these done",
    "lost",
    "doubled",
    "untyped",
  ]);
}

/** The places of sessions, and the counts of their results. */
export interface Scene {
  readonly places: Places;
  readonly tally: Tally;
  /** The errand that {@link Scene.places} serves. */
  readonly errand: Errand;
}

/** Kills one process after the other; each first finishes the previous one's errand, then starts its own. */
export async function killAndFinish(
  { places, tally, errand }: Scene,
  store: StorePlace,
  moments: readonly Moment[],
  name: string,
): Promise<readonly string[]> {
  const problems: string[] = [];
  let child = openProcess();
  for (const [index, moment] of moments.entries()) {
    const work = places.work(store, `${name}-${index}`);
    const next = openProcess();
    const acknowledged = await beginAndKill(child, work, moment);
    child = next;
    const atDeath = await entriesOf(work);
    const readByDeath = receiptsRead(places, work);
    const effectsAtDeath = readEffects(work.effects).length;
    const report = await child.order({ do: "finish", ...work });
    const after = await entriesOf(work);
    const found = [
      ...lostEntries(acknowledged, atDeath, after),
      ...readTooEarly(atDeath, readByDeath),
      ...problemsOfReport(report),
      ...(await problemsOfSession(errand, work)),
      ...ranAgain(tally, store.kind, work, atDeath, effectsAtDeath),
    ];
    note(tally, store.kind, report);
    problems.push(...tally.found(store.kind, `${work.id} killed ${JSON.stringify(moment)}`, found));
  }
  await child.kill();
  return problems;
}

/** @returns How many entries the store acknowledged to the process. */
async function beginAndKill(child: AgentProcess, work: Work, moment: Moment): Promise<number> {
  let acknowledged = 0;
  let kill: Promise<void> | undefined;
  await child.ready();
  const killNow = (): void => void (kill ??= child.kill());
  const timer = "afterMs" in moment ? setTimeout(killNow, moment.afterMs) : undefined;
  const killPoint = "append" in moment ? moment : undefined;
  await child.order({ do: "begin", ...work, killPoint }, (report) => {
    if (report.is === "acknowledged") acknowledged = report.length;
    if (report.is === "at-kill-point") killNow();
  });
  clearTimeout(timer);
  await (kill ?? child.kill());
  return acknowledged;
}

/** How many receipts the model has read in a session. */
function receiptsRead(places: Places, work: Work): number {
  const counts = places.world.emulator.requests.map(({ body }) => {
    // These processes only send requests for content.
    const { contents } = body as GenerateContentRequest;
    return contents[0]?.parts[0]?.text === messageOf(work) ? receiptsIn(contents).length : 0;
  });
  return Math.max(0, ...counts);
}

/** The model must not read outcomes that a crash would lose. */
function readTooEarly(atDeath: readonly unknown[], read: number): readonly string[] {
  const recorded = answeredCalls(atDeath);
  return read <= recorded ? [] : [`lost: the model read the outcomes of ${read} calls when ${recorded} were stored`];
}

/** Calls recorded before the process died must not start again; others may, unless they must happen once. */
function ranAgain(
  tally: Tally,
  row: string,
  { effects }: Work,
  atDeath: readonly unknown[],
  from: number,
): readonly string[] {
  const recorded = recordedCalls(atDeath);
  const all = readEffects(effects);
  const before = new Set(all.slice(0, from).map(({ key }) => key));
  const problems: string[] = [];
  for (const { step, key, what } of all.slice(from)) {
    if (step !== "start" || !before.has(key)) continue;
    if (recorded.has(key)) problems.push(`doubled: ${what} was recorded and ran again`);
    else tally.count(row, "ran again, as it may");
  }
  return problems;
}

function note(tally: Tally, row: string, report: Report | undefined): void {
  tally.count(row, "killed");
  if (report?.is !== "finished") return;
  if (report.found === "nothing") tally.count(row, "before it began");
  if (report.found === "finished") tally.count(row, "when all was done");
  tally.count(row, "asked about", report.unknown.length);
  tally.count(row, "of these done", report.unknown.filter(({ done }) => done).length);
}
