import { Agent, type Content, type SessionStore } from "@pollux/core";
import { JsonlStore, SqliteStore } from "@pollux/core/node";
import { ScriptedModel } from "@pollux/core/testing";
import { PostgresStore } from "@pollux/postgres";
import { readEffects } from "./effects.ts";
import { problemsOfErrand } from "./end-of-errand.ts";
import { DONE, type Errand } from "./errand.ts";
import type { Report, StorePlace, Work } from "./process-messages.ts";

/** Opens a store for a moment. */
export async function withStore<Result>(
  { kind, path, database }: StorePlace,
  use: (store: SessionStore) => Promise<Result>,
): Promise<Result> {
  if (database !== undefined) {
    await using store = new PostgresStore(database.url, { schema: database.schema, listen: false });
    return await use(store);
  }
  if (kind === "jsonl") return await use(new JsonlStore(path));
  using store = new SqliteStore(path);
  return await use(store);
}

/** The stored log of a session, read from the store. */
export function entriesOf({ store, id }: Work): Promise<readonly unknown[]> {
  return withStore(store, (open) => open.load(id));
}

/** The history of a session, read from the store. */
export function historyOf({ store, id }: Work): Promise<readonly Content[]> {
  return withStore(store, (open) => new Agent({ model: new ScriptedModel() }).session({ id, store: open }).history());
}

/** The problems of a session with an ended errand. Idempotent calls may have happened several times, under one key. */
export async function problemsOfSession(errand: Errand, work: Work): Promise<readonly string[]> {
  const effects = readEffects(work.effects);
  const problems = problemsOfErrand(errand, await historyOf(work), effects);
  const keys = new Set(effects.map(({ key }) => key)).size;
  const expected = errand.flat().length;
  return [
    ...problems.filter((problem) => !problem.startsWith("doubled") || /pay|research|render/.test(problem)),
    ...(keys === expected ? [] : [`doubled: ${keys} keys for ${expected} effects`]),
  ];
}

/** The problems in the final message of a process that had to finish an errand. */
export function problemsOfReport(report: Report | undefined): readonly string[] {
  if (report?.is === "finished" && report.stopReason === "finished" && report.text === DONE) return [];
  const untyped = report?.is === "failed" && !report.typed;
  return [`${untyped ? "untyped" : "lost"}: ended with ${JSON.stringify(report)}`];
}

/** Idempotency keys of the calls with an outcome in a log. */
export function recordedCalls(log: readonly unknown[]): ReadonlySet<string> {
  // What a session wrote.
  const entries = log as readonly { readonly type: string; readonly runId?: string; readonly step?: string }[];
  return new Set(
    entries.flatMap(({ type, runId, step }) =>
      type === "step" && step?.startsWith("call:") === true ? [`${runId}/${step.replace(/\/again$/, "")}`] : [],
    ),
  );
}

/** How many calls have an answer in a log: a started job has none. */
export function answeredCalls(log: readonly unknown[]): number {
  // What a session wrote.
  const entries = log as readonly {
    readonly type: string;
    readonly step?: string;
    readonly outcome?: { readonly value?: { readonly job?: object } };
  }[];
  return entries.filter(({ type, step = "", outcome }) => {
    if (type === "job") return outcome !== undefined;
    return type === "step" && step.startsWith("call:") && outcome?.value?.job === undefined;
  }).length;
}

/** Entries that a crash or a full disk lost or changed after they were acknowledged. */
export function lostEntries(
  acknowledged: number,
  then: readonly unknown[],
  now: readonly unknown[] = then,
): readonly string[] {
  const isShort = then.length < acknowledged;
  const isKept = JSON.stringify(now.slice(0, then.length)) === JSON.stringify(then);
  return [
    ...(isShort ? [`lost: ${acknowledged} entries were acknowledged, and ${then.length} are there`] : []),
    ...(isKept ? [] : ["lost: entries were changed"]),
  ];
}
