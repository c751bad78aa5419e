import type { LostUsage } from "../../durable/closed-turn.ts";
import { type CompactStepValue, type InputCheckValue, stepName, READS_SINCE } from "../../durable/run-log.ts";
import { valueLeft } from "../../durable/steps.ts";
import { messageOf } from "../../errors/agent-error.ts";
import { SessionDamagedError } from "../../errors/run-errors.ts";
import { asObject, isObject } from "../../internal/json.ts";
import { readStop } from "../../loop/guardrails.ts";
import { closeOpenCalls } from "../../loop/transcript.ts";
import { compactedContents } from "../../loop/turn/compact-history.ts";
import type { Compaction } from "../../loop/turn/compaction.ts";
import { sendablePartial } from "../../loop/turn/partial-answer.ts";
import type { HistoryOrigin } from "../../model/history/import-history.ts";
import { addUsage, NO_USAGE, type Usage } from "../../model/usage.ts";
import type { Content } from "../../wire/types/content.ts";
import { deriveLost, deriveOpen } from "./derive-open.ts";
import type { EndEntry, HistorySegment, RunEntry } from "./entries.ts";
import type { RunRecord } from "./run-record.ts";
import { readAnswer, resolveRefs, type StepOutcomes, type TurnRecord } from "./turn-record.ts";
import { readByCall, readByModel, readSteered } from "../../durable/read-by-step.ts";
import { addRead, readContents, type ReadSource } from "../../tool/reads.ts";

/** All turns of a run. Open ones come from its end, or from its steps if it has no end or was answered since. */
export function listTurns(record: RunRecord): readonly TurnRecord[] {
  const { turns, end, answered } = record;
  const open = end === undefined || answered.size > 0 ? deriveOpen(record).turns : end.open;
  return withoutGaps(record, [...turns, ...open]);
}

/** The closed turns of a run, including turns whose entries the log has lost. */
export function listClosed(record: RunRecord): readonly TurnRecord[] {
  return withoutGaps(record, record.turns);
}

function withoutGaps(record: RunRecord, turns: readonly TurnRecord[]): readonly TurnRecord[] {
  if (turns.every(({ turn }, index) => turn === index + 1)) return turns;
  return [...turns, ...deriveLost(record, turns)].toSorted((a, b) => a.turn - b.turn);
}

export function hasOpenPart({ turns, outcomes, begun }: RunRecord): boolean {
  const closed = turns.at(-1)?.turn ?? 0;
  return [...outcomes.values(), ...begun.values()].some(({ place }) => place.turn > closed);
}

/** True when the log has a turn after the one with which the run would have finished: it was steered at the last moment. */
export function hasLaterTurn({ outcomes }: RunRecord, { turns }: { readonly turns: number }): boolean {
  return outcomes.has(stepName({ kind: "model", phase: "work", turn: turns + 1, attempt: 0 }));
}

/** What a run added to the history, including its message. Never ends on an open call. */
export function listRunContents(record: RunRecord, keepsInterrupted: boolean = true): readonly Content[] {
  const { end, outcomes } = record;
  const contents = [...checkedInput(record)];
  for (const turn of listTurns(record)) if (turn.phase === undefined) contents.push(...resolveRefs(turn, outcomes));
  if (end === undefined) return closeOpenCalls(contents);
  const unfinished = keepsInterrupted && end.interrupted !== undefined && sendablePartial(end.interrupted.parts);
  if (unfinished) contents.push(unfinished);
  return contents;
}

/** Name of the step in which the guardrails of a run checked its message. */
export const INPUT_GUARD: string = stepName({ kind: "guard", turn: 1, side: "input", attempt: 0 });

/** The message of a run as the model reads it: as its guardrails passed it. */
export function checkedInput({
  entry,
  outcomes,
}: Pick<RunRecord, "entry"> & { readonly outcomes: StepOutcomes }): readonly Content[] {
  const outcome = outcomes.get(INPUT_GUARD)?.outcome;
  if (outcome === undefined) return entry.guarded === true ? [] : entry.input;
  if (!outcome.ok) return [];
  // That step records this type.
  const { actions, contents } = outcome.value as unknown as InputCheckValue;
  return readStop("input", actions) === undefined ? (contents ?? entry.input) : [];
}

/** Contents of other models than the run's, with their origins: `prepareTurn` may have chosen a model for a turn. */
export function listForeign({ outcomes }: Pick<RunRecord, "outcomes">): Map<Content, HistoryOrigin> {
  const foreign = new Map<Content, HistoryOrigin>();
  for (const { place, outcome } of outcomes.values()) {
    if (place.kind !== "model" && place.kind !== "guard") continue;
    const { response } = valueLeft(outcome);
    if (response === undefined) continue;
    const { turn, attempt } = place;
    const step = outcomes.get(stepName({ kind: "model", phase: "work", turn, attempt }));
    const { prepared } = valueLeft(step?.outcome);
    if (prepared?.model !== undefined) foreign.set(response.content, prepared.model.origin);
  }
  return foreign;
}

/**
 * What replaces the first contents of the session's history in requests after a run.
 *
 * @param before - The replacement before the run.
 * @param isWhole - The run's model gets the whole history, so an index in its requests is an index in the history.
 */
export function findCompaction(
  record: RunRecord,
  before?: Compaction,
  isWhole: boolean = false,
): Compaction | undefined {
  const { turns, outcomes } = record;
  let last = before;
  for (const [index, { turn, steps }] of listTurns(record).entries())
    for (const { step, keepFrom } of steps) {
      const { place, outcome } = outcomes.get(step) ?? {};
      if (place?.kind !== "compact" || outcome?.ok !== true) continue;
      // Such a step records this type.
      const value = outcome.value as unknown as CompactStepValue;
      // A turn that was cut off has no recorded place for its summary, but the contents before its first request are known.
      const isKnown = isWhole && index === turns.length && turn === index + 1 && place.overflow === undefined;
      const from =
        keepFrom ?? (isKnown ? value.replaced + (last === undefined ? 0 : last.keepFrom - last.summary.length) : -1);
      if (from >= 0) last = { summary: compactedContents(value), keepFrom: from };
    }
  return last;
}

/** Name of the agent that continues a run: the one that began it, or the last that has taken over. */
export function findLeader({ entry, outcomes }: Pick<RunRecord, "entry" | "outcomes">): string {
  let leader = entry.agent;
  for (const { place, outcome } of outcomes.values())
    if (place.kind === "call") leader = valueLeft(outcome).handoff ?? leader;
  return leader;
}

export type RunTotals = Pick<EndEntry, "turns" | "toolCalls" | "usage" | "cost" | "unpriced">;

/** @param open - Its open turns. */
export function sumUpRun({ turns: closed, outcomes, lost }: RunRecord, open: readonly TurnRecord[]): RunTotals {
  const turns = [...closed, ...open];
  let usage: Usage = NO_USAGE;
  let cost = 0;
  let unpriced: string | undefined;
  const add = (next: Pick<LostUsage, "usage" | "cost" | "unpriced">): void => {
    usage = addUsage(usage, next.usage);
    cost += next.cost ?? 0;
    unpriced ??= next.unpriced;
  };
  // Another run's context size is not this one's.
  const addOther = (other: Pick<LostUsage, "usage" | "cost" | "unpriced">): void =>
    add({ ...other, usage: { ...other.usage, contextTokens: usage.contextTokens } });
  for (const { outcome } of outcomes.values()) {
    const value = valueLeft(outcome);
    // A guardrail's replacement repeats the usage of the answer that it replaces.
    if (value.response !== undefined && !("actions" in value)) add({ ...value, usage: value.response.usage });
    value.nested?.forEach(addOther);
  }
  lost.forEach(addOther);
  let toolCalls = 0;
  for (const { contents } of turns) for (const ref of contents) if ("calls" in ref) toolCalls += ref.calls.length;
  return {
    turns: turns.at(-1)?.turn ?? 0,
    toolCalls,
    usage,
    ...(cost > 0 && { cost }),
    ...(unpriced !== undefined && { unpriced }),
  };
}

export function findBadTurn(turn: TurnRecord, { outcomes }: Pick<RunRecord, "outcomes">): string | undefined {
  try {
    for (const call of turn.calls) readAnswer(call, outcomes);
    return findBadContents(resolveRefs(turn, outcomes));
  } catch (error) {
    return messageOf(error);
  }
}

/** Finds what a run's last end refers to and the log has lost; earlier ends do not count. */
export function findDamagedEnd(run: RunRecord | undefined): string | undefined {
  for (const turn of run?.end?.open ?? []) {
    const problem = run && findBadTurn(turn, run);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** @throws {SessionDamagedError} For a turn that lost the model's answer: a new answer would get the outcomes of the lost one's calls. */
export function checkAnswers(sessionId: string, { entry, turns, outcomes }: RunRecord): void {
  const answered = new Set(turns.map(({ turn }) => turn));
  for (const { place } of outcomes.values())
    if (place.kind === "model" && place.attempt === 0) answered.add(place.turn);
  for (const [step, { place }] of outcomes) {
    const { kind, turn } = place;
    // Checks of a message and summaries come before the model's answer.
    if (kind === "compact" || (kind === "guard" && place.side === "input") || answered.has(turn)) continue;
    const answer = stepName({ kind: "model", phase: "work", turn, attempt: 0 });
    throw new SessionDamagedError(sessionId, `${step} of run ${entry.runId} is in the log, and ${answer} is not`);
  }
}

/** Checks only what every reader of contents relies on. */
export function findBadContents(contents: unknown): string | undefined {
  const isReadable = (content: unknown): boolean => isListOf(asObject(content)["parts"], isObject);
  return isListOf(contents, isReadable) ? undefined : "one of its contents has no list of parts";
}

/** True for a list whose members all pass the check. */
export function isListOf(value: unknown, isMember: (one: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isMember);
}

/** Contents by origin. A content that brings something begins its own segment, because a fork may end before it. */
export function splitHistory(
  contents: readonly Content[],
  read: ReadonlyMap<Content, readonly ReadSource[]>,
  originOf: (content: Content) => HistoryOrigin | undefined,
): readonly HistorySegment[] {
  const parts: (HistorySegment & { readonly contents: Content[] })[] = [];
  for (const content of contents) {
    const [last, origin, brought] = [parts.at(-1), originOf(content), read.get(content)];
    if (last !== undefined && brought === undefined && last.origin === origin) last.contents.push(content);
    else parts.push({ origin, contents: [content], ...(brought !== undefined && { read: brought }) });
  }
  return parts;
}

/** Contents without a record, with what their parts bring. */
export function readGiven(contents: readonly Content[], origin: HistoryOrigin | undefined): readonly HistorySegment[] {
  const read = contents.map((content) => [content, readContents([content])] as const);
  return splitHistory(contents, new Map(read.filter(([, brought]) => brought.length > 0)), () => origin);
}

/** What the message of a run brings; for an older loop's run, what its parts bring. */
export function readStart({ loop, read, input }: RunEntry): RunEntry["read"] {
  const found = loop < READS_SINCE ? readContents(input) : (read ?? []);
  return found.length > 0 ? found : undefined;
}

/** What a run brings into the history, for each turn at its first content. Contents that are not kept bring nothing. */
export function listReads(
  record: RunRecord,
  contents: readonly Content[],
): ReadonlyMap<Content, readonly ReadSource[]> {
  const found = new Map<Content, readonly ReadSource[]>();
  const add = (content: Content | undefined, read: readonly ReadSource[]): void => {
    if (content !== undefined && read.length > 0) found.set(content, [...(found.get(content) ?? []), ...read]);
  };
  const { entry, end, outcomes } = record;
  // An older loop began it; a newer one may have continued it.
  if (entry.loop < READS_SINCE) for (const content of contents) add(content, readContents([content]));
  add(contents[0], entry.read ?? []);
  for (const turn of listTurns(record)) {
    const read = turn.phase === undefined ? readTurn(turn, outcomes) : [];
    if (read.length > 0) add(resolveRefs(turn, outcomes)[0], read);
  }
  // Only the parts of an interrupted answer show what the service had read.
  if (end?.interrupted !== undefined)
    add(contents.at(-1), readContents([{ role: "model", parts: end.interrupted.parts }]));
  return found;
}

function readTurn({ steps, calls }: TurnRecord, outcomes: StepOutcomes): readonly ReadSource[] {
  const found: ReadSource[] = [];
  for (const { step } of steps) {
    const { response, described, steered } = valueLeft(outcomes.get(step)?.outcome);
    if (steered !== undefined) addRead(found, ...readSteered(steered));
    if (response !== undefined) addRead(found, ...readByModel({ response, described }));
  }
  for (const call of calls) {
    const value = readAnswer(call, outcomes);
    addRead(found, ...readByCall(value.part.functionResponse?.name ?? "", value));
  }
  return found;
}
