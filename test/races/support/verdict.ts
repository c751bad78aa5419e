import type { Content, PendingCall, SessionEntry, SessionStore } from "@pollux/core";
import { readConversation } from "@pollux/core/conversation";
import type { Effect } from "../../faults/support/effects.ts";
import { illegal } from "../../faults/support/end-of-errand.ts";
import { problemsOfLog } from "../../faults/support/rivals/settled-session.ts";
import { approverOf, DONE, type Done, needsApproval, TASK } from "./race-agent.ts";
import { argsOf, type Racer } from "./racer.ts";
import type { GivenAnswer, Story } from "./story.ts";

/** A round after all activity has ended. */
export interface EndedRound {
  readonly store: SessionStore;
  readonly id: string;
  readonly story: Story;
  readonly effects: () => readonly Effect[];
  /** Works on it in a process outside of the round. */
  readonly fresh: Racer;
}

/** Finishes the session of a round. @returns The problems. */
export async function problemsOfRound(round: EndedRound): Promise<readonly string[]> {
  const { store, id, story, effects, fresh } = round;
  const ended = await endSession(round).catch((error: unknown) => [
    `lost: it could not be brought to its end: ${error instanceof Error ? error.stack : String(error)}`,
  ]);
  const entries = await entriesOf(store, id);
  const session = fresh.object(0);
  const history = await session.history();
  const { queued } = await readConversation(session);
  const { lease, draft } = await store.records(id);
  const wrong = illegal(history);
  const calls = callsIn(entries);
  return [
    ...ended,
    ...story.untyped(),
    ...problemsOfLog(entries),
    ...(wrong === undefined ? [] : [`open: ${wrong}`]),
    ...(lease?.held === true ? [`held: lease ${lease.token} is left at the end`] : []),
    ...(draft === undefined ? [] : ["held: a draft is left at the end"]),
    ...problemsOfAnswers(story.answers(), entries),
    ...problemsOfUse(entries, calls, history),
    ...problemsOfEffects(effects(), story.answers(), entries, calls),
    ...problemsOfMessages(story, entries, [
      ...textsIn(history),
      ...queued.flatMap(({ parts }) => parts.flatMap((part) => (part.type === "text" ? part.text : []))),
    ]),
    ...(await problemsOfReplay(round, entries)),
    ...(await problemsOfForks(round)),
  ];
}

/** Answers questions, resumes runs, and sends a last message. */
async function endSession({ store, id, effects, fresh }: EndedRound): Promise<readonly string[]> {
  const session = fresh.object(0);
  let text = "";
  let isSent = false;
  for (let times = 0; ; times++) {
    if (times > 20) return ["open: it can be resumed forever"];
    const { pending, resumable } = await session.state();
    if (!resumable) {
      if (isSent) break;
      // The answer may cover queued messages as well.
      ({ text } = await session.send(`${TASK} at the end: pay.`, { whileRunning: "wait" }));
      isSent = true;
      continue;
    }
    const runId = (await entriesOf(store, id)).findLast((entry) => entry.type === "run")?.runId;
    for (const [index, shown] of pending.entries()) {
      const isDone = effects().some(({ key }) => key === `${runId}/${shown.callId}`);
      const value =
        shown.question === "approval"
          ? true
          : shown.question === "outcome" || isDone
            ? { output: "outcome at the end" }
            : ({ notExecuted: true } as const);
      await fresh.answer(`end.${times}.${index}`, session, "answer", shown, value);
    }
    // The last write of a killed process may still arrive.
    ({ text } = await session.continue());
  }
  if (text !== DONE) return [`lost: the last message is answered with ${JSON.stringify(text)}`];
  const isListed = (await store.list({ prefix: id })).some((one) => one.id === id && one.state === "idle");
  return isListed ? [] : ["lost: the session is not listed as idle"];
}

async function entriesOf(store: SessionStore, id: string): Promise<readonly SessionEntry[]> {
  // A session wrote it.
  return (await store.load(id)) as unknown as readonly SessionEntry[];
}

/** A call that the model made in a run of the session. */
interface MadeCall {
  readonly runId: string;
  readonly callId: string;
  readonly name: string;
  readonly euros: number;
}

/** Calls by the `ref` of their arguments. */
function callsIn(entries: readonly SessionEntry[]): ReadonlyMap<string, MadeCall> {
  const found = new Map<string, MadeCall>();
  for (const entry of entries) {
    if (entry.type !== "step" || !entry.step.startsWith("model:") || !entry.outcome.ok) continue;
    // The value of a model step.
    const { response } = entry.outcome.value as unknown as { readonly response?: { readonly content: Content } };
    const turn = entry.step.slice("model:".length).split(".")[0];
    const made = (response?.content.parts ?? []).flatMap(({ functionCall }) => functionCall ?? []);
    for (const [index, { name, args }] of made.entries()) {
      const { ref, euros } = argsOf(args);
      found.set(ref, { runId: entry.runId, callId: `call:${turn}.${index}`, name, euros });
    }
  }
  return found;
}

function answersTo(
  { runId, callId }: MadeCall,
  entries: readonly SessionEntry[],
): readonly Extract<SessionEntry, { type: "answer" }>[] {
  return entries
    .filter((entry) => entry.type === "answer")
    .filter((entry) => entry.runId === runId && (entry.step === callId || entry.step.startsWith(`${callId}/`)));
}

/** Acknowledged answers must be in the log once, for the displayed question, in its run; refused ones must not. */
function problemsOfAnswers(given: readonly GivenAnswer[], entries: readonly SessionEntry[]): readonly string[] {
  const problems = given.flatMap(({ deed, shown, value, ending }) => {
    const what = `#${deed}, ${JSON.stringify(value)} for ${shown.call.name} of ${refOf(shown)}`;
    const stored = entries.filter((entry) => entry.type === "answer" && entry.by === deed);
    const isRight = stored.every(
      (entry) =>
        entry.type === "answer" && entry.token === shown.token && JSON.stringify(entry.value) === JSON.stringify(value),
    );
    if (!isRight) return [`doubled: ${what} is in the log as the answer to something else`];
    if (stored.length > 1) return [`doubled: ${what} is in the log ${stored.length} times`];
    if (ending === "accepted" && stored.length === 0) return [`lost: ${what} was accepted, and is not in the log`];
    return ending === "refused" && stored.length > 0 ? [`doubled: ${what} was refused, and is in the log`] : [];
  });
  let open: string | undefined;
  /** The open run waits, and has not read later answers yet. */
  let [waits, isUnread] = [false, false];
  const answered = new Set<string>();
  for (const [position, entry] of entries.entries()) {
    switch (entry.type) {
      case "run":
        if (waits && isUnread)
          problems.push(`lost: the run of entry ${position} begins although the last was answered`);
        [open, waits, isUnread] = [entry.runId, false, false];
        break;
      case "rewind":
        [open, waits, isUnread] = [undefined, false, false];
        break;
      case "resume":
        isUnread = false;
        break;
      case "end":
        [waits, isUnread] = [entry.pending !== undefined, false];
        for (const { token, callId } of entry.pending ?? [])
          if (answered.has(token)) problems.push(`lost: entry ${position} asks ${callId} again, which was answered`);
        break;
      case "answer":
        isUnread = true;
        if (entry.runId !== open) problems.push(`lost: the answer of entry ${position} stands where no run reads it`);
        if (answered.has(entry.token ?? ""))
          problems.push(`doubled: entry ${position} answers ${entry.step} once more`);
        answered.add(entry.token ?? "");
        break;
      default:
    }
  }
  return problems;
}

/** A finished run must have used every answer: the model must read each decision. */
function problemsOfUse(
  entries: readonly SessionEntry[],
  calls: ReadonlyMap<string, MadeCall>,
  history: readonly Content[],
): readonly string[] {
  const ends = new Map(entries.flatMap((entry) => (entry.type === "end" ? [[entry.runId, entry.stopReason]] : [])));
  return [...calls].flatMap(([ref, call]) => {
    const answers = answersTo(call, entries);
    const read = responseTo(ref, history);
    if (answers.length === 0 || read === undefined || ends.get(call.runId) !== "finished") return [];
    const refusal = answers.map(({ value }) => refusalIn(value)).find((one) => one !== undefined);
    const isUsed =
      refusal === undefined ? read.includes('"output"') || read.includes("outcome ") : read.includes(refusal);
    const what = answers.map(({ value }) => JSON.stringify(value)).join(", ");
    return isUsed ? [] : [`lost: ${call.name} of ${ref} was answered with ${what}, and the model reads ${read}`];
  });
}

/** Why a call was denied or withdrawn, in the actor's words. */
function refusalIn(value: unknown): string | undefined {
  // The format of the actors' answers.
  const { deny, withdrawn } = (typeof value === "object" ? value : {}) as { deny?: string; withdrawn?: string };
  return deny ?? withdrawn;
}

/** The response to a call that the model reads, as JSON. */
function responseTo(ref: string, history: readonly Content[]): string | undefined {
  for (const [index, { parts }] of history.entries()) {
    const made = parts.flatMap(({ functionCall }) => functionCall ?? []);
    const place = made.findIndex(({ args }) => args?.["ref"] === ref);
    if (place !== -1) return JSON.stringify(history[index + 1]?.parts[place]?.functionResponse?.response);
  }
  return undefined;
}

/** Calls that must happen once must have started at most once; calls that need an approval, only with the approved arguments. */
function problemsOfEffects(
  effects: readonly Effect[],
  given: readonly GivenAnswer[],
  entries: readonly SessionEntry[],
  calls: ReadonlyMap<string, MadeCall>,
): readonly string[] {
  const begun = effects.filter(({ step }) => step === "start");
  return begun.flatMap(({ what, key }, index) => {
    const { name, ref, euros } = JSON.parse(what) as Done;
    const call = calls.get(ref);
    if (call === undefined || key !== `${call.runId}/${call.callId}`) return [`doubled: ${what} is no call of ${key}`];
    const answers = answersTo(call, entries);
    const again = answers.filter(({ value }) => JSON.stringify(value) === '{"notExecuted":true}').length;
    const isOnce = name === "pay" || name === "refund" || name === "credit";
    const before = begun.slice(0, index).filter((one) => one.key === key).length;
    const isApproved = given.some(
      ({ shown, value, ending }) =>
        ending !== "refused" &&
        shown.question === "approval" &&
        refOf(shown) === ref &&
        approvedEuros(shown, value) === euros,
    );
    const isFree = euros === call.euros && !needsApproval(name, { ref, euros });
    return [
      ...(isOnce && before > again ? [`doubled: ${what} began once more`] : []),
      ...(isApproved || isFree ? [] : [`doubled: ${what} happened, and nobody approved that`]),
    ];
  });
}

/** The amount that an answer approves, if any: an edit to an amount that needs another approver approves nothing. */
function approvedEuros({ call }: PendingCall, value: GivenAnswer["value"]): number | undefined {
  const { euros } = argsOf(call.args);
  if (value === true) return euros;
  if (typeof value !== "object" || !("args" in value)) return undefined;
  const edited = argsOf(value.args);
  const isOwn = approverOf(edited) === approverOf({ euros }) || !needsApproval(call.name, edited);
  return isOwn ? edited.euros : undefined;
}

/** Acknowledged and stored messages must be in the history once, or queued; refused ones must not be in the log. */
function problemsOfMessages(
  story: Story,
  entries: readonly SessionEntry[],
  said: readonly string[],
): readonly string[] {
  const rewinds = entries.flatMap((entry, position) => {
    if (entry.type !== "rewind") return [];
    const start = entries.findIndex((one) => one.type === "run" && one.runId === entry.before);
    return [{ position, start }];
  });
  return [...story.messages()].flatMap(([text, endings]) => {
    const stored = entries.flatMap((entry, position) => {
      const contents = entry.type === "run" ? entry.input : entry.type === "steer" ? entry.contents : [];
      return textsIn(contents).includes(text) ? [position] : [];
    });
    const times = said.filter((one) => one === text).length;
    const what = `${JSON.stringify(text)} (${endings.join(", ")})`;
    const isKept = stored.some((at) => rewinds.every(({ position, start }) => position < at || at < start));
    if (times > 1) return [`doubled: ${what} is in the history ${times} times`];
    if (stored.length > 0 && endings.every((one) => one === "refused")) return [`doubled: refused and stored: ${what}`];
    if (stored.length === 0 && endings.includes("accepted")) return [`lost: accepted and not in the log: ${what}`];
    return isKept && times === 0 ? [`lost: stored, not taken back, and not in the history: ${what}`] : [];
  });
}

function textsIn(contents: readonly Content[]): readonly string[] {
  return contents.flatMap(({ role, parts }) => (role === "user" ? parts.flatMap(({ text }) => text ?? []) : []));
}

/** Each run that ended by itself must replay. */
async function problemsOfReplay({ fresh }: EndedRound, entries: readonly SessionEntry[]): Promise<readonly string[]> {
  const ends = new Map(entries.flatMap((entry) => (entry.type === "end" ? [[entry.runId, entry.stopReason]] : [])));
  const problems: string[] = [];
  for (const [runId, stopReason] of ends) {
    if (stopReason === "failed" || stopReason === "aborted") continue;
    try {
      const result = await fresh.object(0).replay({ runId }).result();
      if (result.stopReason !== stopReason)
        problems.push(`log: run ${runId} ended ${stopReason}, and is replayed as ${result.stopReason}`);
    } catch (error) {
      problems.push(`log: run ${runId} (${stopReason}) cannot be replayed: ${String(error)}`);
    }
  }
  return problems;
}

/** Forks must be valid sessions. */
async function problemsOfForks({ store, id, fresh }: EndedRound): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const { id: fork } of await store.list({ prefix: `${id}-fork-` })) {
    const session = fresh.other(fork);
    const before = illegal(await session.history());
    const { text } = await session.send(`${TASK} of a fork: pay.`);
    const after = problemsOfLog(await entriesOf(store, fork));
    if (before !== undefined || text !== DONE || after.length > 0)
      problems.push(`lost: ${fork} is not whole: ${before ?? text}, ${after.join(", ")}`);
  }
  return problems;
}

function refOf({ call }: PendingCall): string {
  return argsOf(call.args).ref;
}
