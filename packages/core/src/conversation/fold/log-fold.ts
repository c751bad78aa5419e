import { readByCall } from "../../durable/read-by-step.ts";
import type { RunEvent } from "../../loop/events.ts";
import type { SessionEntry } from "../../session/log/entries.ts";
import { readGiven } from "../../session/log/run-turns.ts";
import { type RunStart, SteeringLog } from "../../session/log/session-view.ts";
import type { TurnRecord } from "../../session/log/turn-record.ts";
import type { SessionRecords } from "../../session/store/store.ts";
import { foldInfo, type InfoFold, NO_INFO } from "../../session/store/session-info.ts";
import type { ToolOutcome } from "../../tool/tool.ts";
import type { Content } from "../../wire/types/content.ts";
import type { Conversation, ConversationUpdate, Message, MessagePart } from "../conversation.ts";
import { userParts, editCall, outcomeOf } from "../view/answer-parts.ts";
import { endFields, endsEarly, readsOf, type RunView } from "../view/run-view.ts";
import { TurnView } from "../view/turn-view.ts";
import { ConversationFold } from "./conversation-fold.ts";

/**
 * The conversation that a session's log holds, also in the middle of a run.
 *
 * @param records - The records beside the log; read them first. A held lease counts as a run in progress. Without records, a run that
 *   has no end counts as cut off.
 */
export function buildConversation(
  id: string,
  entries: readonly SessionEntry[],
  { lease, draft }: Pick<SessionRecords, "lease" | "draft"> = {},
): Conversation {
  const fold = new LogFold(id);
  for (const entry of entries) fold.addEntry(entry);
  fold.addRecords({ isRunning: lease?.held === true, draft });
  return fold.conversation;
}

/** The records beside a log, as far as they are shown. */
export interface SeenRecords extends Pick<SessionRecords, "draft"> {
  /** A run is in progress. */
  readonly isRunning: boolean;
}

/**
 * A conversation that grows: from the entries of a log, from the records beside it, and from the events of a run in this process, in any
 * order in which they arrive. Each addition returns its update.
 */
export class LogFold extends ConversationFold {
  readonly #steering = new SteeringLog();
  /** Where the runs of the conversation began. */
  readonly #runs: (Pick<RunStart, "position" | "steeringCursor"> & { readonly runId: string })[] = [];
  #info: InfoFold = NO_INFO;

  /** Adds the next entry of the log. */
  addEntry(entry: SessionEntry): ConversationUpdate {
    const before = this.#info.info?.title;
    this.#info = foldInfo(this.#info, [entry]);
    const title = this.#info.info?.title;
    if (title !== before) this.change({ type: "title", ...(title !== undefined && { title }) });
    const isOfRun = this.#read(entry, this.conversation.position.log);
    return this.entryUpdate(isOfRun);
  }

  /** Adds the records beside the log, which were read before it. Not for a run that is followed by its events: they know more. */
  addRecords(seen: SeenRecords): ConversationUpdate | undefined {
    const { isRunning, draft } = seen;
    const { run } = this;
    if (run === undefined || run.end !== undefined) return undefined;
    const place = [draft?.attempt ?? 0, addDraft(run, seen), 0] as const;
    if (run.hasRunner === isRunning) return this.liveUpdate(place);
    run.hasRunner = isRunning;
    run.touch();
    // After everything that arrived while the run was in progress.
    const [, last] = this.conversation.position.live;
    return this.liveUpdate(isRunning ? place : [last + 1, 0, 0]);
  }

  /** Adds the next event of a run of this process, after the entries that the log had then. */
  addEvent(event: RunEvent): ConversationUpdate | undefined {
    this.readLive(event);
    if (event.type === "steer") this.#showQueue();
    return this.liveUpdate();
  }

  /** @returns True for an entry that only the run's owner writes. */
  #read(entry: SessionEntry, position: number): boolean {
    switch (entry.type) {
      case "history": {
        const contents = entry.parts.flatMap((part) => [...part.contents]);
        const segments =
          entry.loop === undefined ? entry.parts.flatMap((part) => readGiven(part.contents, part.origin)) : entry.parts;
        this.historyRead = segments.flatMap(({ read = [] }) => read);
        // Before the first run, there are no other messages.
        for (const message of historyMessages(contents, this.conversation.messages.length, readsOf(this.historyRead)))
          this.change({ type: "message", message });
        return true;
      }
      case "run":
        this.#runs.push({ runId: entry.runId, position, steeringCursor: this.#steering.cursor });
        this.leaveRun(entry.dropInterrupted === true);
        this.beginRun(entry);
        return true;
      case "steer":
        this.#steering.records.push({ ...entry, position });
        this.#showQueue();
        return false;
      case "rewind": {
        const { messages } = this.conversation;
        const first = messages.findIndex((message) => message.runId === entry.before);
        this.run = undefined;
        if (first >= 0) this.change({ type: "take-back", ids: messages.slice(first).map(({ id }) => id) });
        const index = this.#runs.findIndex((run) => run.runId === entry.before);
        // A message that came after the run began goes with the run that read it.
        for (const run of this.#runs.slice(index, index + 1)) this.#steering.rewind(run);
        if (index >= 0) this.#runs.length = index;
        this.#showQueue();
        return true;
      }
      case "info":
        return false;
      default:
        if (this.run?.runId === entry.runId) this.#readRun(this.run, entry);
        return entry.type !== "answer" && entry.type !== "job";
    }
  }

  #readRun(run: RunView, entry: Extract<SessionEntry, { runId: string }>): void {
    switch (entry.type) {
      case "begin":
        return run.beginStep(entry.place);
      case "step": {
        const { step, place, outcome } = entry;
        run.addStep(step, place, outcome);
        if (place.kind !== "model") return;
        this.#steering.addStep(outcome);
        return this.#showQueue();
      }
      case "answer":
        return run.addStep(entry.step, entry.place, { ok: true, value: entry.value });
      case "job": {
        const { step, place, callId, outcome, progress, at } = entry;
        if (outcome === undefined) return run.addProgress(place, callId, { progress, at });
        return run.addStep(step, place, { ok: true, value: outcome });
      }
      case "turn":
        return closeTurn(run, entry, false);
      case "resume":
        run.end = undefined;
        run.hasRunner = true;
        run.live = undefined;
        return run.touch();
      case "end": {
        const { interrupted, pending = [], open } = entry;
        run.end = endFields(entry);
        run.live = interrupted && { turn: interrupted.place.turn, parts: [...interrupted.parts] };
        run.ask(pending);
        const isEarly = endsEarly(entry);
        for (const record of open) closeTurn(run, record, isEarly);
        if (!isEarly) run.citeLast();
        run.touch();
        return this.#showQueue();
      }
      default:
    }
  }

  /** Shows the messages that are not read yet; the request in progress has read the ones that it includes. */
  #showQueue(): void {
    let included = this.run?.live?.steering?.length ?? 0;
    const waiting = this.#steering.unread.filter(({ contents }) => {
      included -= contents.length;
      return included < 0;
    });
    const known = new Set(this.conversation.queued.map(({ id }) => id));
    const queued = new Map(waiting.map((steer) => [steer.id ?? `steer:${steer.position}`, steer]));
    const gone = [...known].filter((id) => !queued.has(id));
    if (gone.length > 0) this.change({ type: "unqueue", ids: gone });
    for (const [id, { at, contents }] of queued)
      if (!known.has(id)) this.change({ type: "queue", message: { id, at, parts: userParts(contents) } });
  }
}

/** @returns How much text the draft has: see `LivePosition`. */
function addDraft(run: RunView, { draft, isRunning }: SeenRecords): number {
  // Text that guardrails have not checked is shown while the run is in progress, and not afterward.
  const isShown = draft?.runId === run.runId && (draft.guarded !== true || isRunning);
  const isOpen = isShown && draft.place.kind === "model" && run.steps.find(draft.place) === undefined;
  if (!isOpen) {
    const isHeld = isRunning && run.live !== undefined && run.turn(run.live.turn).isHeld;
    if (!isHeld) run.live = undefined;
    return 0;
  }
  const { turn } = draft.place;
  run.live = { turn, parts: [...draft.parts] };
  return draft.parts.reduce((sum, { text }) => sum + (text?.length ?? 1), 0);
}

/** Applies what a turn added to the history. @param isEarly - The run ended in the middle of it: an unused answer is void. */
function closeTurn(run: RunView, { turn: number, contents, steps, calls }: TurnRecord, isEarly: boolean): void {
  const turn = run.turn(number);
  const answer = contents.findLast((ref) => "model" in ref)?.model;
  const isVoid = answer === undefined || steps.some(({ step, discarded }) => step === answer && discarded);
  if (isEarly && isVoid) turn.dropAnswer();
  // A result that no step recorded is only here as the model reads it.
  for (const call of calls) {
    const known = turn.calls.get(call.callId);
    if (known === undefined) continue;
    const part = call.args === undefined ? known.part : editCall(known.part, call.args);
    turn.calls.set(call.callId, { ...known, part, ...("value" in call && { outcome: outcomeOf(call.value) }) });
    if ("value" in call) run.addRead(readByCall("", call.value));
  }
  run.touch(turn);
}

/**
 * The contents from before the session as messages: one of the user's for each content that a person wrote, one of the model's for
 * everything that follows it.
 *
 * @param first - Number of the first message.
 * @param read - What all the contents bring: it is unknown what each answer had read.
 */
function historyMessages(
  contents: readonly Content[],
  first: number,
  read: Pick<Message, "untrusted" | "private">,
): readonly Message[] {
  const messages: Message[] = [];
  let turns: TurnView[] = [];
  const add = (role: Message["role"], parts: readonly MessagePart[]): void => {
    const id = `history:${first + messages.length}`;
    const about = role === "model" ? read : {};
    if (parts.length > 0)
      messages.push({ id, role, state: "complete", parts, sources: [], searchEntryPoints: [], ...about });
  };
  const addAnswer = (): void => {
    const parts = turns.flatMap((turn) => turn.parts({ isRunning: false, asked: "withdrawn", open: "not-run" }));
    add("model", parts);
    turns = [];
  };
  for (const content of contents) {
    if (content.role === "model") {
      const turn = new TurnView(turns.length + 1);
      turn.setContent(content);
      turns.push(turn);
      continue;
    }
    const parts = content.parts.filter((part) => part.functionResponse === undefined);
    endCalls(turns.at(-1), content);
    // Media that go with a tool's results are not a person's message.
    if (parts.length === 0 || (turns.length > 0 && parts.length < content.parts.length)) continue;
    addAnswer();
    add("user", userParts([{ ...content, parts }]));
  }
  addAnswer();
  return messages;
}

function endCalls(turn: TurnView | undefined, { parts }: Content): void {
  const responses = parts.flatMap(({ functionResponse }) => functionResponse ?? []);
  for (const [index, call] of [...(turn?.calls.values() ?? [])].entries()) {
    const response = responses[index]?.response;
    if (response === undefined) continue;
    const outcome: ToolOutcome =
      "error" in response
        ? { ok: false, kind: "failed", message: "" }
        : { ok: true, output: response["output"] ?? response };
    turn?.calls.set(call.part.id, { ...call, outcome });
  }
}
