import { InteractionStreamError } from "./errors.ts";
import type { InteractionEvent, StepDelta } from "./types/events.ts";
import type { Annotation, Content, Step } from "./types/interaction.ts";

/** The texts that deltas add to. Where a stream cuts them may differ from one connection to the next. */
type Texts = Record<"text" | "summary" | "arguments", string>;

/** The part of a step that the reader has. */
interface Delivered {
  readonly step: Step;
  readonly texts: Texts;
  /** Pieces that arrive whole, and how often. */
  readonly wholes: Map<string, number>;
  isClosed: boolean;
}

/** How far the current connection is in a step. */
interface Position {
  readonly texts: Record<keyof Texts, number>;
  readonly wholes: Map<string, number>;
}

/**
 * Tracks what a reader has received, so that a connection that restarts from the beginning delivers each event once.
 *
 * Events are compared by content. The service's own resuming (`last_event_id`) was seen to repeat the whole answer under new indexes, and
 * then a repetition looks like a step that happens to have the same content.
 */
export class EventLedger {
  /** True once the interaction is over for the reader. */
  isOver = false;
  readonly #steps = new Map<number, Delivered>();
  #positions = new Map<number, Position>();
  readonly #others: Position["wholes"] = new Map();
  #othersHere: Position["wholes"] = new Map();
  #isCreated = false;
  #status: string | undefined;
  #id: string | undefined;

  constructor(id?: string) {
    this.#id = id;
  }

  /** The interaction's id, as soon as it is known; none if it is not stored. */
  get id(): string | undefined {
    return this.#id;
  }

  /** A new connection begins, at the start of the interaction. */
  reconnected(): void {
    this.#positions = new Map();
    this.#othersHere = new Map();
  }

  /**
   * The part of an event that the reader doesn't have yet; usually the event itself. @throws {InteractionStreamError}
   * If it contradicts what was delivered.
   */
  take(event: InteractionEvent): readonly InteractionEvent[] {
    switch (event.event_type) {
      case "interaction.created": {
        if (this.#isCreated) return [];
        this.#isCreated = true;
        this.#id ??= event.interaction.id || undefined;
        return [event];
      }
      case "interaction.status_update": {
        if (event.status === this.#status) return [];
        this.#status = event.status;
        return [event];
      }
      case "interaction.completed": {
        if (this.isOver) return [];
        this.isOver = true;
        return [event];
      }
      case "step.start":
        return this.#start(event, event.index, event.step);
      case "step.delta":
        return this.#delta(event, event.index, event.delta);
      case "step.stop": {
        const known = this.#steps.get(event.index);
        if (known?.isClosed === true) return [];
        if (known !== undefined) known.isClosed = true;
        return [event];
      }
      default:
        return isNew(JSON.stringify(event), this.#others, this.#othersHere) ? [event] : [];
    }
  }

  /** The same for steps as they are stored, which have their deltas joined. Of a step that was received to its end, only texts are compared. */
  takeStored(steps: readonly Step[]): readonly InteractionEvent[] {
    this.reconnected();
    return steps.flatMap((step, index) => {
      const isClosed = this.#steps.get(index)?.isClosed === true;
      return eventsOf(step, index)
        .filter((event) => !isClosed || event.event_type !== "step.delta" || isText(event.delta))
        .flatMap((event) => this.take(event));
    });
  }

  #start(event: InteractionEvent, index: number, step: Step): readonly InteractionEvent[] {
    const begun = textsOf(step);
    const position = { texts: { text: 0, summary: 0, arguments: 0 }, wholes: new Map<string, number>() };
    const known = this.#steps.get(index);
    if (known === undefined) {
      this.#steps.set(index, { step, texts: begun, wholes: new Map(), isClosed: false });
      position.texts.text = begun.text.length;
      position.texts.summary = begun.summary.length;
      this.#positions.set(index, position);
      return [event];
    }
    const [id, before] = [step.id ?? step.call_id, known.step.id ?? known.step.call_id];
    if (step.type !== known.step.type || (id !== undefined && before !== undefined && id !== before))
      throw this.#diverged();
    // A second start on one connection is an accident of the service.
    if (this.#positions.has(index)) return [];
    this.#positions.set(index, position);
    return [
      ...this.#text(index, "text", { type: "text", text: begun.text }),
      ...this.#text(index, "summary", { type: "thought_summary", content: { type: "text", text: begun.summary } }),
    ];
  }

  #delta(event: InteractionEvent, index: number, delta: StepDelta): readonly InteractionEvent[] {
    const known = this.#steps.get(index);
    // A step that never began: nothing is known about it, and nothing is withheld.
    if (known === undefined) return [event];
    const field = fieldOf(delta);
    if (field !== undefined) return this.#text(index, field, delta, event);
    const { wholes } = this.#positionIn(index, known);
    if (delta.annotations === undefined) return isNew(keyOf(delta), known.wholes, wholes) ? [event] : [];
    const annotations = delta.annotations.filter((one) => isNew(keyOf(one), known.wholes, wholes));
    if (annotations.length === 0) return [];
    return annotations.length === delta.annotations.length
      ? [event]
      : [{ event_type: "step.delta", index, delta: { ...delta, annotations } }];
  }

  /** The part of a text that is new. */
  #text(index: number, field: keyof Texts, delta: StepDelta, event?: InteractionEvent): readonly InteractionEvent[] {
    const known = this.#steps.get(index);
    if (known === undefined) return [];
    const text = textIn(delta);
    const position = this.#positionIn(index, known);
    const at = position.texts[field];
    const had = known.texts[field].slice(at, at + text.length);
    if (!text.startsWith(had)) throw this.#diverged();
    position.texts[field] = at + text.length;
    const rest = text.slice(had.length);
    if (rest === "") return event !== undefined && had === "" ? [event] : [];
    known.texts[field] += rest;
    if (had === "" && event !== undefined) return [event];
    return [{ event_type: "step.delta", index, delta: withText(delta, rest) }];
  }

  /** A connection that resumes in the middle of a step continues where the last one ended. */
  #positionIn(index: number, { texts, wholes }: Delivered): Position {
    let position = this.#positions.get(index);
    if (position === undefined) {
      const { text, summary, arguments: json } = texts;
      position = {
        texts: { text: text.length, summary: summary.length, arguments: json.length },
        wholes: new Map(wholes),
      };
      this.#positions.set(index, position);
    }
    return position;
  }

  #diverged(): InteractionStreamError {
    return new InteractionStreamError(
      "The resumed stream contradicts what was received before it broke off; get() returns the interaction as it is stored.",
      this.#id,
    );
  }
}

/** Counts one more on this connection. @returns Whether that is more than the reader has. */
function isNew(key: string, delivered: Map<string, number>, here: Map<string, number>): boolean {
  const count = (here.get(key) ?? 0) + 1;
  here.set(key, count);
  if (count <= (delivered.get(key) ?? 0)) return false;
  delivered.set(key, count);
  return true;
}

/** JSON with sorted keys, of media only its beginning and length. */
function keyOf(value: object): string {
  return JSON.stringify(value, (name, member: unknown) => {
    if (name === "data" && typeof member === "string") return `${member.length} ${member.slice(0, 100)}`;
    if (typeof member !== "object" || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function fieldOf(delta: StepDelta): keyof Texts | undefined {
  if (delta.type === "text") return "text";
  if (delta.type === "arguments_delta" && typeof delta.arguments === "string") return "arguments";
  return delta.type === "thought_summary" && typeof delta.content?.text === "string" ? "summary" : undefined;
}

function isText(delta: StepDelta): boolean {
  const field = fieldOf(delta);
  return field === "text" || field === "summary";
}

function textIn(delta: StepDelta): string {
  const text = delta.type === "arguments_delta" ? delta.arguments : (delta.content?.text ?? delta.text);
  return typeof text === "string" ? text : "";
}

function withText(delta: StepDelta, text: string): StepDelta {
  if (delta.type === "arguments_delta") return { ...delta, arguments: text };
  return delta.content === undefined ? { ...delta, text } : { ...delta, content: { ...delta.content, text } };
}

/** The texts that a step begins with. */
function textsOf({ content, summary }: Step): Texts {
  const join = (list: Step["content"]): string =>
    typeof list === "string" ? list : (list ?? []).map((one) => one.text ?? "").join("");
  return { text: join(content), summary: join(summary), arguments: "" };
}

/** A stored step as the events that would have brought it. */
function eventsOf(step: Step, index: number): readonly InteractionEvent[] {
  const { type, content, summary, signature, arguments: given, ...rest } = step;
  const start = { type, ...pick(rest, "id", "call_id", "name") };
  const contents = typeof content === "string" ? [{ type: "text", text: content }] : (content ?? []);
  const deltas: StepDelta[] = [
    ...(summary ?? []).map((one): StepDelta => ({ type: "thought_summary", content: one })),
    ...contents.flatMap(deltasOf),
  ];
  const isBuiltIn = type.endsWith("_call") || type.endsWith("_result");
  if (type === "function_call") deltas.push({ type: "arguments_delta", arguments: JSON.stringify(given ?? {}) });
  else if (isBuiltIn) deltas.push({ ...rest, type, ...(given !== undefined && { arguments: given }) });
  if (signature !== undefined) deltas.push({ type: "thought_signature", signature });
  return [
    { event_type: "step.start", index, step: start },
    ...deltas.map((delta) => ({ event_type: "step.delta" as const, index, delta })),
    { event_type: "step.stop", index },
  ];
}

function deltasOf(content: Content): readonly StepDelta[] {
  if (content.type !== "text") return [content];
  const annotations: readonly Annotation[] = content.annotations ?? [];
  return [
    { type: "text", text: content.text ?? "" },
    ...(annotations.length > 0 ? [{ type: "text_annotation_delta", annotations }] : []),
  ];
}

function pick(fields: Readonly<Record<string, unknown>>, ...names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.flatMap((name) => (fields[name] === undefined ? [] : [[name, fields[name]]])));
}
