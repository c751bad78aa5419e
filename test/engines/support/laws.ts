import type { Ended } from "./engine-place.ts";
import type { Outside } from "./outside.ts";
import type { Seen } from "./outside-messages.ts";
import { callsOf, DONE, itemIn, type PlanName } from "./plans.ts";

/** The problems of a run that should have finished, from the outside world's observations. */
export async function problemsOfRun(
  outside: Outside,
  run: string,
  plan: PlanName,
  ended: Ended,
): Promise<readonly string[]> {
  const seen = (await outside.seen(run)).filter((one) => one.what === "mark" || one.run === run);
  return [...problemsOfEnd(ended), ...unlawful(run, plan, seen)].map((problem) => `${run}: ${problem}`);
}

/** The problems in the observations of a run. */
export function unlawful(run: string, plan: PlanName, seen: readonly Seen[]): readonly string[] {
  return [...problemsOfItems(run, plan, seen), ...problemsOfRepeats(plan, run, seen)];
}

/** The problems with the end of a run that should have finished. */
export function problemsOfEnd(ended: Ended): readonly string[] {
  const { status, stopReason, text } = ended;
  return status === "ended" && stopReason === "finished" && text === DONE
    ? []
    : [`lost: it ended with ${JSON.stringify(ended)}`];
}

/** Each item must have taken effect once, under one key and by one version of the code, no matter how many requests came. */
function problemsOfItems(run: string, plan: PlanName, seen: readonly Seen[]): readonly string[] {
  const problems: string[] = [];
  const items = seen.filter((one) => one.what === "item");
  for (const item of itemsOf(plan, run)) {
    const own = items.filter((one) => one.item === item);
    const done = own.filter(({ phase }) => phase === "done").length;
    if (done === 0) problems.push(`lost: item ${item} was never carried out`);
    if (done > 1) problems.push(`doubled: item ${item} was carried out ${done} times`);
    const keys = new Set(own.map(({ key }) => key));
    if (keys.size > 1) problems.push(`doubled: item ${item} has the keys ${[...keys].join(", ")}`);
  }
  const codes = new Set(items.map(({ code }) => code));
  if (codes.size > 1) problems.push(`mixed: its items were carried out by the codes ${[...codes].join(", ")}`);
  return problems;
}

function itemsOf(plan: PlanName, run: string): readonly number[] {
  return callsOf(plan, run).flatMap((turn) => turn.flatMap((call) => itemIn(call) ?? []));
}

/** Work that was finished at a kill must not repeat; unfinished work may repeat at most once per kill. */
function problemsOfRepeats(plan: PlanName, run: string, seen: readonly Seen[]): readonly string[] {
  const problems: string[] = [];
  const turnOf = new Map(
    callsOf(plan, run).flatMap((turn, index) => turn.map((call) => [itemIn(call), index + 1] as const)),
  );
  const finished = new Set<string>();
  const known = new Set<string>();
  const begun = new Map<string, number>();
  let kills = 0;
  for (const one of seen) {
    if (one.what === "mark") {
      // Work that is known to be finished by now was finished before the kill.
      for (const name of known) finished.add(name);
      if (begun.size > 0) kills++;
      continue;
    }
    if (one.what === "item" && one.phase === "done") continue;
    const name = one.what === "model" ? `model:${one.turn}` : `item:${one.item}`;
    if (finished.has(name)) problems.push(`doubled: ${name} was finished and began again`);
    begun.set(name, (begun.get(name) ?? 0) + 1);
    // A step with a successor is finished.
    if (one.what === "item") addTurns(known, turnOf.get(one.item) ?? 0);
    else {
      addTurns(known, one.turn - 1);
      for (const item of one.told) known.add(`item:${item}`);
    }
  }
  // In total: a request in progress at a kill may arrive shortly after it.
  for (const [name, times] of begun)
    if (times > 1 + kills) problems.push(`doubled: ${name} began ${times} times with ${kills} kills`);
  return problems;
}

function addTurns(known: Set<string>, last: number): void {
  for (let turn = 1; turn <= last; turn++) known.add(`model:${turn}`);
}

/** How many starts of items and requests were repetitions. */
export function repeats(seen: readonly Seen[]): number {
  const begun = seen.flatMap((one) =>
    one.what === "model"
      ? [`${one.run} model:${one.turn}`]
      : one.what === "item" && one.phase === "asked"
        ? [`${one.run} item:${one.item}`]
        : [],
  );
  return begun.length - new Set(begun).size;
}
