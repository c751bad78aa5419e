import type { Content, Part, SessionEntry, SessionStore } from "@pollux/core";
import { checkSession } from "@pollux/core/doctor";
import { type Effect, EffectsList } from "../effects.ts";
import { illegal } from "../end-of-errand.ts";
import { DONE, openSession, TASK } from "./rival-agent.ts";
import type { ActReport } from "./rival-messages.ts";

/** Everything that was done with a session. */
export interface Story {
  readonly store: SessionStore;
  readonly id: string;
  readonly reports: readonly ActReport[];
  readonly effects: readonly Effect[];
  /** One of its runs was cut off, so a lease may remain. */
  readonly isCutOff: boolean;
}

/** Codes of errors after which nothing was stored. */
export const REFUSALS: ReadonlySet<string | undefined> = new Set([
  "session_running",
  "session_unfinished",
  "session_limit",
  "nothing_to_resume",
  "unexpected_answer",
]);

/** Finishes a session. @returns The problems. */
export async function problemsOfStory(story: Story): Promise<readonly string[]> {
  const { store, id, reports, effects, isCutOff } = story;
  const problems = reports.flatMap(({ act, error }) =>
    error === undefined || error.code !== undefined || (act === "begin" && error.name === "AbortError")
      ? []
      : [`untyped: ${act} ended with ${error.name}: ${error.message}`],
  );
  const { lease } = await store.records(id);
  if (lease?.held === true && !isCutOff) problems.push(`held: lease ${lease.token} of run ${lease.runId} is left`);
  const more = await finishTask(story);
  problems.push(...more.problems);
  // A session wrote it.
  const entries = (await store.load(id)) as unknown as readonly SessionEntry[];
  problems.push(...problemsOfLog(entries), ...problemsOfMessages(entries, more.history, reports));
  problems.push(...problemsOfOutcomes(entries, more.history));
  const wrong = illegal(more.history);
  if (wrong !== undefined) problems.push(`open: ${wrong}`);
  problems.push(...problemsOfEffects([...effects, ...more.effects], entries));
  const after = await store.records(id);
  if (after.lease?.held === true) problems.push(`held: lease ${after.lease.token} is left at the end`);
  if (after.draft !== undefined) problems.push("held: a draft is left at the end");
  return problems;
}

/** Answers questions, resumes runs, and sends a last message. */
async function finishTask({ store, id, effects, isCutOff }: Story): Promise<{
  readonly problems: readonly string[];
  readonly history: readonly Content[];
  readonly effects: readonly Effect[];
}> {
  const own = new EffectsList();
  const session = openSession({ store, id, effects: own, random: () => 0 });
  const problems: string[] = [];
  try {
    const { lastRun } = await session.state();
    if (!isCutOff && (lastRun === "running" || lastRun === "cut-off"))
      problems.push(`open: the last run is ${lastRun}`);
    for (let rounds = 0; ; rounds++) {
      const { pending, resumable } = await session.state();
      if (!resumable) break;
      if (rounds > 9) throw new Error(`it can still be resumed after ${rounds} rounds`);
      const runId = (await lastRunOf(store, id)) ?? "";
      const outcomes = pending.flatMap(({ callId, question, token }) => {
        if (question === "approval") return [];
        const ended = [...effects, ...own.all].some(({ step, key }) => step === "end" && key === `${runId}/${callId}`);
        return [[token, ended ? { output: "looked into" } : ({ notExecuted: true } as const)] as const];
      });
      const approvals = pending.filter(({ question }) => question === "approval").map(({ token }) => [token, true]);
      await session.resume({ outcomes: Object.fromEntries(outcomes), approvals: Object.fromEntries(approvals) });
    }
    const { text } = await session.send(`${TASK} ends ${id}.`);
    if (text !== DONE) problems.push(`lost: the last message is answered with ${JSON.stringify(text)}`);
  } catch (error) {
    problems.push(`lost: it could not be brought to its end: ${error instanceof Error ? error.stack : String(error)}`);
  }
  return { problems, history: await session.history(), effects: own.all };
}

async function lastRunOf(store: SessionStore, id: string): Promise<string | undefined> {
  const entries = (await store.load(id)) as unknown as readonly SessionEntry[];
  return entries.findLast((entry) => entry.type === "run")?.runId;
}

/** The log must be readable, and each of its runs must end once. */
export function problemsOfLog(entries: readonly SessionEntry[]): readonly string[] {
  const problems = checkSession(entries.map((value) => ({ value }))).problems.map(
    ({ position, ...problem }) => `log: entry ${position}: ${JSON.stringify(problem)}`,
  );
  let open: string | undefined;
  for (const [position, { type, ...entry }] of entries.entries()) {
    // The checked entries have one.
    const { runId } = entry as { readonly runId: string };
    if (type === "run" && open !== undefined) problems.push(`open: run ${open} has no end before entry ${position}`);
    if (type === "end" && open !== runId) problems.push(`doubled: entry ${position} ends a run that is over`);
    if (type === "run" || type === "resume") open = runId;
    if (type === "end") open = undefined;
  }
  if (open !== undefined) problems.push(`open: run ${open} has no end`);
  return problems;
}

/** Acknowledged and stored messages must be in the history once; refused ones must not be in the log. */
function problemsOfMessages(
  entries: readonly SessionEntry[],
  history: readonly Content[],
  reports: readonly ActReport[],
): readonly string[] {
  const stored = new Set(
    entries.flatMap((entry) =>
      textsIn(entry.type === "run" ? entry.input : entry.type === "steer" ? entry.contents : []),
    ),
  );
  const said = textsIn(history);
  return reports.flatMap(({ act, message, error }) => {
    if (message === undefined) return [];
    const times = said.filter((text) => text === message).length;
    const isStored = stored.has(message);
    const isRefused = error !== undefined && REFUSALS.has(error.code);
    if (isRefused && isStored) return [`doubled: the message of ${act} was refused (${error.code}) and stored`];
    if (error === undefined && times === 0) return [`lost: the message of ${act} was acknowledged and is not there`];
    if (isStored && times === 0) return [`lost: the message of ${act} was stored and is not in the history`];
    return times > 1 ? [`doubled: the message of ${act} is in the history ${times} times`] : [];
  });
}

function textsIn(contents: readonly Content[]): readonly string[] {
  return contents.flatMap(({ role, parts }) => (role === "user" ? parts.flatMap(({ text }) => text ?? []) : []));
}

/** The model must read the recorded outcome of each call. */
function problemsOfOutcomes(entries: readonly SessionEntry[], history: readonly Content[]): readonly string[] {
  const read = history.flatMap(({ parts }) => parts.map((part) => JSON.stringify(part)));
  return entries.flatMap((entry, position) => {
    if (entry.type !== "step" || !entry.step.startsWith("call:") || !entry.outcome.ok) return [];
    // The value of a call's step.
    const { part, unknown } = entry.outcome.value as unknown as { readonly part: Part; readonly unknown?: boolean };
    if (unknown === true) return [];
    // Each of them once, since two calls may have the same outcome.
    const place = read.indexOf(JSON.stringify(part));
    if (place !== -1) read.splice(place, 1);
    return place === -1 ? [`lost: the outcome of ${entry.step} in entry ${position} is not in the history`] : [];
  });
}

/** Calls that must happen once must have started at most once, and every effect must belong to a call. */
function problemsOfEffects(effects: readonly Effect[], entries: readonly SessionEntry[]): readonly string[] {
  const begun = effects.filter(({ step }) => step === "start");
  const once = begun
    .filter(({ what }) => what === "pay" || what === "confirm")
    .map(({ what, key }) => `${what} ${key}`);
  const twice = new Set(once.filter((one, index) => once.indexOf(one) !== index));
  const keys = new Set(begun.map(({ what, key }) => `${what} ${key}`));
  const made = entries.reduce((sum, entry) => sum + callsMadeIn(entry), 0);
  return [
    ...[...twice].map((one) => `doubled: ${one} began twice`),
    ...(keys.size <= made ? [] : [`doubled: ${keys.size} effects for ${made} calls`]),
  ];
}

function callsMadeIn(entry: SessionEntry): number {
  if (entry.type !== "step" || !entry.step.startsWith("model:") || !entry.outcome.ok) return 0;
  // The value of a model step.
  const { response } = entry.outcome.value as unknown as { readonly response?: { readonly content: Content } };
  return response?.content.parts.filter(({ functionCall }) => functionCall !== undefined).length ?? 0;
}
