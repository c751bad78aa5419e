import {
  isWebUrl,
  type MediaPart,
  type Message,
  type MessagePart,
  type MessageSource,
  type MessageState,
  type PartCitation,
  type SaidPart,
  type TurnPart,
  type TextPart,
  type ThoughtPart,
  type ToolCallPart,
} from "@pollux/core/conversation";
import { jobOf, questionsOf } from "../answerable.ts";
import { toolCallIdOf } from "../call-ids.ts";
import { type DataPart, splitData } from "../data-part.ts";
import { defined } from "../json.ts";
import { isOver, type MessageTurn, turnsOf } from "../message-turns.ts";
import { mediaAddress, playableParts } from "../page-media.ts";
import type { UICitation, UISteeringContent } from "./chunks.ts";
import { serverToolPart, toolPart, type ToolPartOptions } from "./tool-part.ts";
import type {
  UIDataPart,
  UIMessageData,
  UIMessageMetadata,
  UIMessagePart,
  UISourcePart,
  UITextPart,
} from "./ui-message.ts";

/** One step of a message: a turn of the model. */
export interface MessageStep {
  /** Id of the part that opens it; undefined for parts before the first such part. */
  readonly id: string | undefined;
  /** Calls come last, as they do while the answer is written: the texts around a call are joined. */
  readonly entries: readonly StepEntry[];
}

/** What a step contains. */
export type ShownPart = Exclude<UIMessagePart, { readonly type: "step-start" }>;

/** A part of a step. */
export interface StepEntry {
  /** Unique in the message, and the id of a text's chunks. */
  readonly id: string;
  readonly part: ShownPart;
  readonly isCall: boolean;
  /** It is the application's own data. */
  readonly isData?: true | undefined;
}

/** Options of {@link messageSteps}. */
export interface MessageStepsOptions extends ToolPartOptions {
  /** What was made of the parts of earlier versions of the message, so that unchanged parts are the same objects. */
  readonly cache?: WeakMap<MessagePart, { readonly part: ShownPart; readonly state: MessageState }> | undefined;
}

/** The parts of a message of the assistant, as a client shows them. Sources follow them: see {@link messageTail}. */
export function messageSteps(message: Message, options: MessageStepsOptions): readonly MessageStep[] {
  const turns = turnsOf(message);
  return turns.map((turn, index) => messageStep(message, turn, index === turns.length - 1, options));
}

function messageStep(
  message: Message,
  { id, parts: all }: MessageTurn,
  isLast: boolean,
  options: MessageStepsOptions,
): MessageStep {
  const { data, others: parts } = splitData(all);
  const calls = parts.filter((part) => part.type === "tool-call");
  const isWhole = !isLast || message.state !== "streaming" || calls.some(({ state }) => state !== "writing");
  const others = parts.filter((part) => part.type !== "tool-call" && part.type !== "turn");
  const joined = joinTexts(playableParts(others, isWhole));
  const entries: StepEntry[] = [];
  for (const [index, part] of joined.entries()) {
    const isOpen = !isWhole && (part.type === "text" || (index === joined.length - 1 && part.type === "thought"));
    // Renumbered, since texts were joined.
    const entryId = `${id ?? "turn:0"}/${index}`;
    const shown =
      part.type === "text"
        ? textPart(message, part, isOpen, options.version > 6)
        : part.type === "thought"
          ? reasoningPart(part, entryId, isOpen)
          : cachedPart(message, part, options);
    entries.push({ id: entryId, part: shown, isCall: false });
  }
  for (const call of calls) entries.push({ id: call.id, part: cachedPart(message, call, options), isCall: true });
  for (const { id: entryId, part } of data)
    entries.push({ id: entryId, part: customPart(part), isCall: false, isData: true });
  return { id, entries };
}

/** Anything but calls. */
type NonCallPart = Exclude<MessagePart, ToolCallPart | TurnPart>;

/** Joins texts that only calls interrupted, and thoughts likewise. */
function joinTexts(parts: readonly NonCallPart[]): readonly NonCallPart[] {
  const joined: NonCallPart[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (part.type === "thought" && last?.type === "thought") joined[joined.length - 1] = joinTwo(last, part);
    else if (part.type === "text" && last?.type === "text") {
      const { length } = last.text;
      const moved = (part.citations ?? []).map((one) => ({ ...one, start: one.start + length, end: one.end + length }));
      const citations = [...(last.citations ?? []), ...moved];
      joined[joined.length - 1] = { ...joinTwo(last, part), ...(citations.length > 0 && { citations }) };
    } else joined.push(part);
  }
  return joined;
}

function joinTwo<Kind extends { readonly text: string; readonly streaming?: true | undefined }>(
  { streaming: _closed, ...first }: Kind,
  second: Kind,
): Kind {
  const { text, streaming } = second;
  // The same kind, with a text made of both.
  return { ...first, text: first.text + text, ...(streaming === true && { streaming }) } as unknown as Kind;
}

/** A part that does not grow. */
type WholePart = Exclude<MessagePart, TextPart | ThoughtPart | TurnPart>;

function cachedPart(message: Message, from: WholePart, options: MessageStepsOptions): ShownPart {
  const cached = options.cache?.get(from);
  if (cached?.state === message.state) return cached.part;
  const part = wholePart(message, from, options);
  options.cache?.set(from, { part, state: message.state });
  return part;
}

function wholePart(message: Message, part: WholePart, options: ToolPartOptions): ShownPart {
  const { version } = options;
  switch (part.type) {
    case "tool-call":
      return toolPart(message.id, part, options);
    case "media":
      if (part.thought !== true) return { type: "file", ...linkOf(part) };
      return version > 6 ? { type: "reasoning-file", ...linkOf(part) } : dataPart("thought-file", linkOf(part));
    case "code":
    case "server-tool":
      return serverToolPart(message, part);
    case "steering": {
      const parts = part.parts.flatMap(steeringContent);
      return version > 6
        ? { type: "steering-message", id: `${message.id}/${part.id}`, parts }
        : dataPart("steering", { parts });
    }
    case "handoff":
      return dataPart("handoff", { agent: part.agent });
    case "compaction":
      return dataPart("compaction", {});
    case "interruption":
      return dataPart("interruption", { turn: part.turn, ...(part.dropped === true && { dropped: true }) });
    case "unknown":
      return dataPart("unknown", { keys: [...part.keys] });
    default:
      // A kind that only a newer release of core knows.
      return dataPart("unknown", { keys: Object.keys(part) });
  }
}

/** The application's own data part. */
function customPart({ type, id, data = null }: DataPart): UIDataPart {
  // Its name is the application's.
  return { type, ...defined({ id }), data } as UIDataPart;
}

/** A data part. */
export function dataPart<Name extends keyof UIMessageData>(name: Name, data: UIMessageData[Name]): UIDataPart {
  // The data belongs to the name.
  return { type: `data-${name}`, data } as UIDataPart;
}

function reasoningPart({ text }: ThoughtPart, id: string, isOpen: boolean): ShownPart {
  return { type: "reasoning", id, text, state: isOpen ? "streaming" : "done" };
}

function textPart(
  { sources }: Message,
  { text, citations = [] }: TextPart,
  isOpen: boolean,
  withCitations: boolean,
): UITextPart {
  if (isOpen) return { type: "text", text, state: "streaming" };
  if (citations.length === 0) return { type: "text", text, state: "done" };
  const ranges = citations.map(({ start, end, sources: numbers }) => ({ start, end, sources: numbers.map(String) }));
  return {
    type: "text",
    text,
    state: "done",
    ...(withCitations && { citations: citations.flatMap((one) => uiCitations(one, sources)) }),
    providerMetadata: { pollux: { citations: ranges } },
  };
}

function uiCitations({ start, end, sources: numbers }: PartCitation, sources: readonly MessageSource[]): UICitation[] {
  return numbers.flatMap((number) => {
    const source = sources.find((one) => one.number === number);
    if (source === undefined) return [];
    const { sourceId: id, type, providerMetadata: _metadata, ...of } = sourcePart(source);
    const shared = { type: "source", id, ...of } as const;
    // `of` has a url, or else a media type and a title.
    const cited = (
      type === "source-url" ? { ...shared, sourceType: "url" } : { ...shared, sourceType: "document" }
    ) as UICitation["source"];
    return [{ source: cited, startIndex: start, endIndex: end }];
  });
}

/** What follows the last step of a message that has ended. */
export function messageTail(message: Message): readonly (UISourcePart | UIDataPart)[] {
  const { sources, searchEntryPoints } = message;
  if (!isOver(message)) return [];
  return [
    ...sources.map(sourcePart),
    ...(searchEntryPoints.length > 0 ? [dataPart("search-suggestions", { html: [...searchEntryPoints] })] : []),
  ];
}

/**
 * True when an empty step has to follow the last one: a client whose last step has calls, all with results, may take them for its own
 * and send them, again and again.
 */
export function needsEmptyStep(message: Message, steps: readonly MessageStep[]): boolean {
  return isOver(message) && steps.at(-1)?.entries.some(({ isCall }) => isCall) === true;
}

function sourcePart({ number, kind, uri, title, pageNumber, mediaId }: MessageSource): UISourcePart {
  const sourceId = String(number);
  const providerMetadata = { pollux: { number, kind, ...defined({ pageNumber, mediaId }) } };
  if (uri !== undefined && isWebUrl(uri))
    return { type: "source-url", sourceId, url: uri, ...defined({ title }), providerMetadata };
  const document = { mediaType: "application/octet-stream", title: title ?? `Source ${number}` };
  return { type: "source-document", sourceId, ...document, providerMetadata };
}

/** The URL of media: a data URL for data in the message itself; empty for an address that {@link mediaAddress} leaves out. */
export function fileOf(part: MediaPart): { readonly url: string; readonly mediaType: string } {
  const { data, mimeType: mediaType = "application/octet-stream" } = part;
  return { url: data === undefined ? (mediaAddress(part) ?? "") : `data:${mediaType};base64,${data}`, mediaType };
}

/** The model's media. Media stored elsewhere become a plain file, to open by a click: a page that shows an image requests it by itself. */
function linkOf(part: MediaPart): ReturnType<typeof fileOf> {
  const file = fileOf(part);
  return part.data === undefined ? { ...file, mediaType: "application/octet-stream" } : file;
}

function steeringContent(part: SaidPart): readonly UISteeringContent[] {
  if (part.type === "text") return [{ type: "text", text: part.text }];
  if (part.type !== "media") return [];
  return [{ type: "file", ...fileOf(part), ...defined({ filename: part.name }) }];
}

/** Facts about a message of the assistant besides its parts. */
export function messageMetadata(message: Message): UIMessageMetadata {
  const { id, runId, at, agent, state, stopReason, limit, limitScope, guardrail, error } = message;
  const { usage, cost, pricesAsOf, untrusted, private: isPrivate } = message;
  const pending = questionsOf(message).map(({ call, question }) => ({
    toolCallId: toolCallIdOf(id, call.id),
    question,
    token: "",
    ...call.asks,
    ...jobOf(call),
  }));
  const ending = { stopReason, limit, limitScope, guardrail, error, usage, cost, pricesAsOf };
  return defined({ runId, createdAt: at, agent, state, pending, untrusted, private: isPrivate, ...ending });
}
