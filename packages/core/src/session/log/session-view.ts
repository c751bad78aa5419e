import {
  type CallStepValue,
  guardStepName,
  type InputCheckValue,
  type ModelStepValue,
  parseStepName,
} from "../../durable/run-log.ts";
import type { Outcome } from "../../durable/steps.ts";
import type { Compaction } from "../../loop/turn/compaction.ts";
import { readStop } from "../../loop/guardrails.ts";
import type { Spent } from "../../loop/limits.ts";
import { closeOpenCalls } from "../../loop/transcript.ts";
import type { HistoryOrigin } from "../../model/history/import-history.ts";
import { addUsage, NO_USAGE, type Usage } from "../../model/usage.ts";
import type { PendingCall } from "../../tool/tool.ts";
import type { Content, Part } from "../../wire/types/content.ts";
import { sendablePartial } from "../../loop/turn/partial-answer.ts";
import type { ContentRef, EndEntry, RunEntry, SessionEntry } from "./entries.ts";
import type { RunStart } from "./rewind.ts";
import { foldInfo, type InfoFold, NO_INFO } from "../store/session-info.ts";

/** Contents of the history that came from one place. */
export interface HistorySegment {
  /** Absent when it never came from a model. */
  readonly origin?: HistoryOrigin | undefined;
  readonly contents: readonly Content[];
}

/** What the log holds of one run. */
export interface RunRecord {
  readonly entry: RunEntry;
  /** The place up to which what was said to the session was part of it when the run began. */
  readonly steeringCursor: number;
  /** What the runs before it have used. */
  readonly spentBefore: Spent;
  readonly outcomes: Map<string, Outcome>;
  readonly begun: Map<string, number>;
  /** Names of steps and answers in the order they were recorded. */
  readonly order: string[];
  /** Its last ending, unless it was opened again. */
  end: EndEntry | undefined;
}

/** Something said to the session while a run was going. */
export interface SteerRecord {
  /** Its entry's place in the log. */
  readonly position: number;
  readonly contents: readonly Content[];
  readonly id?: string | undefined;
}

/** A session's log, folded: what is known after reading its entries in order. */
export class SessionView {
  /** Entries read. */
  length = 0;
  /** Of the runs before the last, and of what was given. */
  readonly segments: HistorySegment[] = [];
  /** The last run; none after a rewind. */
  run: RunRecord | undefined;
  /** Of the runs that are part of the conversation. */
  readonly starts: RunStart[] = [];
  /** Of all runs. */
  readonly runIds: Set<string> = new Set();
  steers: SteerRecord[] = [];
  /** What is sent in place of the first contents of the history, as of the runs before the last. */
  compaction: Compaction | undefined;
  /** The place up to which what was said to the session is part of the history. */
  steeringCursor = 0;
  /** Runs that ended, the last one included. */
  runs = 0;
  turns = 0;
  toolCalls = 0;
  usage: Usage = NO_USAGE;
  cost = 0;
  /** What a store is told for its lists. */
  info: InfoFold = NO_INFO;

  add(entry: SessionEntry): void {
    const position = this.length++;
    this.info = foldInfo(this.info, [entry]);
    switch (entry.type) {
      case "history":
        this.segments.push(...entry.parts);
        return;
      case "run":
        this.runIds.add(entry.runId);
        this.#closeRun(entry.dropInterrupted !== true);
        this.starts.push(this.#startOf(entry, position));
        this.run = {
          entry,
          steeringCursor: this.steeringCursor,
          spentBefore: this.spent(),
          outcomes: new Map(),
          begun: new Map(),
          order: [],
          end: undefined,
        };
        return;
      case "steer":
        this.steers.push({ position, contents: entry.contents, id: entry.id });
        return;
      case "rewind":
        this.#rewind(entry.before);
        return;
      case "info":
        return;
      default:
    }
    const { run } = this;
    // An entry of a run that is over was written by a process that did not know; the run's end stands.
    if (run?.entry.runId !== entry.runId) return;
    switch (entry.type) {
      case "begin":
        run.begun.set(entry.step, entry.at);
        return;
      case "step":
        run.outcomes.set(entry.step, entry.outcome);
        run.order.push(entry.step);
        this.#addSteering(entry.outcome);
        return;
      case "answer":
        run.outcomes.set(entry.step, { ok: true, value: entry.value });
        run.order.push(entry.step);
        if (run.end?.pending !== undefined)
          run.end = { ...run.end, pending: run.end.pending.filter((one) => !answers(entry.step, one)) };
        return;
      case "resume":
        if (run.end !== undefined) this.#count(run.end, -1);
        run.end = undefined;
        return;
      case "end":
        if (run.end !== undefined) this.#count(run.end, -1);
        run.end = entry;
        this.#count(entry, 1);
        return;
    }
  }

  /** Everything said, oldest first; the open calls of a run that is not over are left out of it. */
  history(): Content[] {
    const contents = this.segments.flatMap((segment) => [...segment.contents]);
    if (this.run !== undefined) contents.push(...listRunContents(this.run));
    return contents;
  }

  /** Everything said, by where it came from. */
  allSegments(): readonly HistorySegment[] {
    return this.run === undefined ? this.segments : [...this.segments, ...buildSegments(this.run)];
  }

  /** What was said to the session under an id. */
  steerOf(id: string): SteerRecord | undefined {
    return this.steers.find((steer) => steer.id === id);
  }

  /** What was said to the session after a place. */
  steersAfter(place: number): readonly SteerRecord[] {
    return this.steers.filter((steer) => steer.position >= place);
  }

  /** What the runs that ended have used. */
  spent(): Spent {
    const { turns, toolCalls, usage, cost } = this;
    return { turns, toolCalls, usage, wallTimeMs: 0, cost };
  }

  #closeRun(keepsInterrupted: boolean): void {
    if (this.run === undefined) return;
    this.segments.push(...buildSegments(this.run, keepsInterrupted));
    this.compaction = this.run.end?.compaction ?? this.compaction;
  }

  #startOf(entry: RunEntry, position: number): RunStart {
    const { steeringCursor, compaction } = this;
    return { entry, position, segments: this.segments.length, steeringCursor, compaction };
  }

  #rewind(runId: string): void {
    const index = this.starts.findIndex(({ entry }) => entry.runId === runId);
    const start = this.starts[index];
    if (start === undefined) return;
    this.starts.length = index;
    this.segments.length = start.segments;
    this.compaction = start.compaction;
    this.run = undefined;
    // What was said after the run began goes with the run that heard it.
    this.steers = this.steers.filter(({ position }) => position < start.position || position >= this.steeringCursor);
    this.steeringCursor = start.steeringCursor;
  }

  #addSteering(outcome: Outcome): void {
    if (!outcome.ok) return;
    // Other steps have no such member.
    const { steered } = (outcome.value ?? {}) as { readonly steered?: ModelStepValue["steered"] };
    if (steered !== undefined) this.steeringCursor = Math.max(this.steeringCursor, steered.upTo);
  }

  #count(end: EndEntry, sign: 1 | -1): void {
    this.runs += sign;
    this.turns += sign * end.turns;
    this.toolCalls += sign * end.toolCalls;
    this.cost += sign * (end.cost ?? 0);
    this.usage = sign === 1 ? addUsage(this.usage, end.usage) : subtractUsage(this.usage, end.usage);
  }
}

function answers(step: string, { callId, question }: PendingCall): boolean {
  const name = parseStepName(step);
  // What is carried out elsewhere is answered under the name of the call.
  if (name.kind === "call") return question === "outcome" && step === callId;
  return name.kind === "wait" && name.callId === callId && name.question === question;
}

/** The contents of a run by where they come from: `prepareTurn` may have chosen another model for a turn. */
function buildSegments(run: RunRecord, keepsInterrupted: boolean = true): readonly HistorySegment[] {
  const { entry, outcomes } = run;
  const foreign = new Map<Content, HistoryOrigin>();
  for (const outcome of outcomes.values()) {
    if (!outcome.ok) continue;
    // Steps of other kinds have no such members.
    const { response, prepared } = (outcome.value ?? {}) as Partial<ModelStepValue>;
    if (response !== undefined && prepared?.model !== undefined) foreign.set(response.content, prepared.model.origin);
  }
  const contents = listRunContents(run, keepsInterrupted);
  if (foreign.size === 0) return [{ origin: entry.origin, contents }];
  return contents.map((content) => ({ origin: foreign.get(content) ?? entry.origin, contents: [content] }));
}

/**
 * What a run added to the history: its input, and, when it ended, what followed.
 *
 * @param keepsInterrupted - Whether an answer that was never finished is part of it.
 */
export function listRunContents(record: RunRecord, keepsInterrupted: boolean = true): readonly Content[] {
  const { end, outcomes } = record;
  const input = checkedInput(record);
  if (end === undefined) return closeOpenCalls(input);
  const contents = [...input, ...resolveRefs(end.added, outcomes)];
  const unfinished =
    keepsInterrupted && end.interrupted !== undefined ? sendablePartial(end.interrupted.parts) : undefined;
  return unfinished === undefined ? contents : [...contents, unfinished];
}

/** The input of a run as the model reads it: what its guardrails let pass. */
export function checkedInput({
  entry,
  outcomes,
}: {
  readonly entry: RunEntry;
  readonly outcomes: ReadonlyMap<string, Outcome>;
}): readonly Content[] {
  const outcome = outcomes.get(guardStepName("input", 1));
  if (outcome === undefined) return entry.guarded === true ? [] : entry.input;
  if (!outcome.ok) return [];
  // The name of the step says what it left.
  const { actions, contents } = outcome.value as unknown as InputCheckValue;
  return readStop("input", actions) === undefined ? (contents ?? entry.input) : [];
}

/** The contents that refs stand for. */
export function resolveRefs(refs: readonly ContentRef[], outcomes: ReadonlyMap<string, Outcome>): Content[] {
  return refs.map((ref): Content => {
    if ("model" in ref) return (readStep(outcomes, ref.model) as ModelStepValue).response.content;
    if ("calls" in ref) {
      const parts = ref.calls.map((one) =>
        typeof one === "string" ? (readStep(outcomes, one) as CallStepValue).part : one,
      );
      return { role: "user", parts };
    }
    if ("after" in ref)
      return { role: "user", parts: ref.after.flatMap((name) => (readStep(outcomes, name) as CallStepValue).after) };
    return ref;
  });
}

/** A ref is only written for a step whose outcome was recorded before, and the name of the ref says what it left. */
function readStep(outcomes: ReadonlyMap<string, Outcome>, name: string): unknown {
  const outcome = outcomes.get(name);
  if (outcome?.ok !== true) throw new RangeError(`the end of a run refers to step ${name}, which is not in the log`);
  return outcome.value;
}

/** Contents as refs to the steps that left them, found by identity: what is not found is written in full. */
export function buildRefs(contents: readonly Content[], outcomes: ReadonlyMap<string, Outcome>): ContentRef[] {
  const models = new Map<Content, string>();
  const calls = new Map<Part, string>();
  const after = new Map<Part, string>();
  for (const [name, outcome] of outcomes) {
    if (!outcome.ok) continue;
    const value = (outcome.value ?? {}) as Partial<ModelStepValue> & Partial<CallStepValue>;
    if (value.response !== undefined) models.set(value.response.content, name);
    if (value.part !== undefined) calls.set(value.part, name);
    for (const part of value.after ?? []) after.set(part, name);
  }
  return contents.map((content): ContentRef => {
    const model = models.get(content);
    if (model !== undefined) return { model };
    if (content.parts.some((part) => calls.has(part)))
      return { calls: content.parts.map((part) => calls.get(part) ?? part) };
    const names = content.parts.map((part) => after.get(part));
    if (names.length > 0 && names.every((name) => name !== undefined)) return { after: [...new Set(names)] };
    return content;
  });
}

function subtractUsage(sum: Usage, part: Usage): Usage {
  const negative = Object.fromEntries(
    Object.entries(part).map(([name, value]) => [name, typeof value === "number" ? -value : false]),
  ) as unknown as Usage;
  return { ...addUsage(sum, negative), contextTokens: sum.contextTokens };
}

/**
 * The session's compaction as a cut in what is sent now: contents of another model may have been left out of it.
 *
 * @param before - What is sent of what was said before the run.
 */
export function placeCutInSent(
  { compaction, segments }: Pick<SessionView, "compaction" | "segments">,
  before: readonly Content[],
): Compaction | undefined {
  if (compaction === undefined) return undefined;
  const first = joinContents(segments)[compaction.keepFrom];
  // It is a message of the user's, which is never changed; when none is left, all that was there is summed up.
  const keepFrom = first === undefined ? before.length : before.indexOf(first);
  return keepFrom < 0 ? undefined : { summary: compaction.summary, keepFrom };
}

/** A cut in what was sent, as a cut in the session's history. */
export function placeCutInHistory(
  { summary, keepFrom }: Compaction,
  contents: readonly Content[],
  given: number,
  segments: readonly HistorySegment[],
): Compaction {
  const before = joinContents(segments);
  if (keepFrom >= given) return { summary, keepFrom: before.length + keepFrom - given };
  const first = contents[keepFrom];
  return { summary, keepFrom: first === undefined ? before.length : Math.max(0, before.indexOf(first)) };
}

function joinContents(segments: readonly HistorySegment[]): readonly Content[] {
  return segments.flatMap(({ contents }) => contents);
}
