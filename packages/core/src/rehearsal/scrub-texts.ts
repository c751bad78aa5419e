import { RangeFinder } from "../grounding/citations.ts";
import { asObject, isObject, setMember } from "../internal/json.ts";
import { utf8Length, wordsIn } from "../internal/text.ts";
import { PLACEHOLDER_SIGNATURE } from "../model/history/change-calls.ts";
import { PartCollector, visibleText } from "../model/response/parts.ts";
import { redactBytes } from "../wire/secrets/redact.ts";
import type { Content, Part } from "../wire/types/content.ts";
import type { GroundingSupport } from "../wire/types/generate-content.ts";
import { findChanges, moveRange } from "./text-changes.ts";

/** A change of a text. */
export interface ScrubbedText {
  /** The first place, such as `log[0].input[0].parts[0].text` or `exchanges[2].request.contents[4].parts[1].text`. */
  readonly where: string;
  /** The old text, with some text around it; a key in it is `[redacted]` here, too. */
  readonly was: string;
  readonly is: string;
}

type Members = Readonly<Record<string, unknown>>;
type Segment = NonNullable<GroundingSupport["segment"]>;
type Move = (segment: Segment, where: string) => Segment;
type Scrubbed = Readonly<Record<"texts" | "secrets" | "signatures" | "citations" | "media", number>>;

/** Characters to show around a change. */
const AROUND = 30;

/** Scrubs the values of one recording, and remembers the replacement of each text. */
export class TextScrubber {
  readonly #scrub: (text: string) => string;
  readonly #secrets: readonly string[];
  readonly #texts = new Map<string, string>();
  /** Signatures of changed contents. */
  readonly #lost = new Set<string>();
  readonly #changed = new Map<string, ScrubbedText>();
  readonly #media = new Set<string>();
  #citations = 0;
  /** Moves a range of the answer whose candidate is being scrubbed. */
  #move: Move | undefined;

  constructor(scrub: (text: string) => string, secrets: readonly string[]) {
    this.#scrub = scrub;
    this.#secrets = secrets;
  }

  /** Grows with each signature that must leave all copies of a content. */
  get learned(): number {
    return this.#lost.size;
  }

  get counts(): Scrubbed {
    const { size: texts } = this.#changed;
    const secrets = [...this.#changed.keys()].filter((text) => this.#redact(text) !== text).length;
    return { texts, secrets, signatures: this.#lost.size, citations: this.#citations, media: this.#media.size };
  }

  /** Each change once, however often its text is repeated. */
  get differences(): readonly ScrubbedText[] {
    const found = new Map<string, ScrubbedText>();
    for (const { where, was, is } of this.#changed.values())
      for (const { from, to, newFrom, newTo } of findChanges(was, is)) {
        const one = { where, was: around(this.#redact(was), from, to), is: around(is, newFrom, newTo) };
        const key = JSON.stringify([one.was, one.is]);
        if (!found.has(key)) found.set(key, one);
      }
    return [...found.values()];
  }

  startAgain(): void {
    this.#changed.clear();
    this.#citations = 0;
  }

  /** A text, scrubbed. */
  text(text: string, where: string): string {
    let scrubbed = this.#texts.get(text);
    if (scrubbed === undefined) this.#texts.set(text, (scrubbed = this.#make(text, where)));
    return this.#note(text, scrubbed, where);
  }

  /** Whether scrubbing would change a text; notes nothing. */
  changes(text: string): boolean {
    return this.#make(text, "") !== text;
  }

  #make(text: string, where: string): string {
    const scrubbed: unknown = this.#scrub(this.#redact(text));
    if (typeof scrubbed === "string") return scrubbed;
    throw new TypeError(`scrub must return a string, but returned ${typeof scrubbed} for the text at ${where}`);
  }

  /** Keeps the length in bytes, as in kept bodies. */
  #redact(text: string): string {
    const bytes = new TextEncoder().encode(text);
    const clean = redactBytes(bytes, this.#secrets);
    return clean === bytes ? text : new TextDecoder("utf-8", { ignoreBOM: true }).decode(clean);
  }

  #note(was: string, is: string, where: string): string {
    if (was !== is && !this.#changed.has(was)) this.#changed.set(was, { where, was, is });
    return is;
  }

  /**
   * A value with its texts scrubbed; the same value if nothing changes.
   *
   * @param name - Name of the member that has the value.
   * @param isFree - The value may have any shape, so all its texts are scrubbed.
   */
  value(value: unknown, name: string, where: string, isFree = false): unknown {
    if (typeof value === "string") {
      if (isFree || !(KEPT.has(name) || KEPT_WHOLE.has(name))) return this.text(value, where);
      if (name === "data") this.#media.add(value);
      return OPAQUE.has(name) ? value : this.#note(value, this.#redact(value), where);
    }
    if (Array.isArray(value)) {
      const items = value.map((item: unknown, index) => this.value(item, name, `${where}[${index}]`, isFree));
      return items.every((item, index) => item === value[index]) ? value : items;
    }
    if (!isObject(value)) return value;
    if (!isFree && !KEPT_WHOLE.has(name)) {
      if (isResponse(value)) return this.#response(value, where);
      if (Array.isArray(value["parts"])) return this.#content(value, where);
      if (name === "segment" && this.#move !== undefined) return this.#move(value, where);
    }
    const isQuoted = !isFree && (name === "citationSources" || name === "citations");
    const members = (isQuoted && this.#move?.(value, where)) || value;
    return this.members(members, where, (member, inner, at) => {
      if (isFree || KEPT_WHOLE.has(name)) return this.value(inner, KEPT_WHOLE.has(name) ? name : member, at, isFree);
      const isPayload = member === "response" && (name === "functionResponse" || name === "toolResponse");
      // The code that a model wrote, not the code of an error.
      const isCode = member === "code" && name === "executableCode";
      return this.value(inner, member, at, isPayload || isCode || FREE.has(member));
    });
  }

  /** An object with changed values; the same object if none changes. A member that becomes undefined is left out. */
  members(value: unknown, where: string, change: (name: string, value: unknown, where: string) => unknown): unknown {
    if (!isObject(value)) return value;
    const changed: Record<string, unknown> = {};
    let isSame = true;
    for (const [name, member] of Object.entries(value)) {
      const now = change(name, member, `${where}.${name}`);
      isSame &&= now === member;
      if (now !== undefined || member === undefined) setMember(changed, name, now);
    }
    return isSame ? value : changed;
  }

  #content(content: Members, where: string): Members {
    // Unchecked: only members that exist are read.
    const parts = content["parts"] as readonly Part[];
    const scrub = (list: readonly Part[]): readonly Part[] =>
      this.value(list, "part", `${where}.parts`) as readonly Part[];
    let scrubbed = scrub(parts);
    const given = parts.map((part) => asObject(part)["thoughtSignature"]);
    const signatures = given.filter((one) => typeof one === "string");
    const own = signatures.filter((one) => one !== PLACEHOLDER_SIGNATURE);
    if (scrubbed !== parts || own.some((one) => this.#lost.has(one))) {
      for (const one of own) this.#lost.add(one);
      // Texts without signatures are joined, as in an answer.
      const joined = new PartCollector();
      joined.add(withoutSignatures(parts));
      if (signatures.length > 0) scrubbed = scrub(joined.parts());
    }
    const rest = (name: string, value: unknown, at: string): unknown =>
      name === "parts" ? scrubbed : this.value(value, name, at);
    // An object stays an object.
    return this.members(content, where, rest) as Members;
  }

  #response(response: Response, where: string): unknown {
    const content = this.#content(response.content, `${where}.content`) as unknown as Content;
    this.#move = this.#mover(response.content, content);
    // The texts of tokens are pieces of the old text.
    const isStale = (name: string): boolean => name === "logprobsResult" && content !== response.content;
    const inCandidate = (name: string, value: unknown, at: string): unknown =>
      isStale(name) ? undefined : this.value(value, name, at);
    const candidate = this.members(response["candidate"], `${where}.candidate`, inCandidate);
    this.#move = undefined;
    const own: Members = { content, candidate };
    return this.members(response, where, (name, value, at) => own[name] ?? this.value(value, name, at));
  }

  /** Moves ranges of the answer's text, if the text has changed. */
  #mover(was: Content, is: Content): Move {
    const [finder, isChanged, before, now] = [
      new RangeFinder(was.parts),
      was !== is,
      visibleText(was),
      visibleText(is),
    ];
    const changes = findChanges(before, now);
    return (segment, where) => {
      const found = finder.find(segment);
      const isFound = found.match !== "unverified";
      const quoted = segment.text === undefined || isFound ? segment.text : this.text(segment.text, `${where}.text`);
      if (!isChanged) return quoted === segment.text ? segment : { ...segment, text: quoted };
      const { start, end } = moveRange(changes, found);
      const text = isFound ? now.slice(start, end) : quoted;
      this.#citations++;
      // Offsets count from the beginning of the text, and a zero is absent, as the service sends them.
      const { partIndex: _part, startIndex: _start, ...rest } = segment;
      const startIndex = start > 0 && { startIndex: utf8Length(now.slice(0, start)) };
      return { ...rest, ...startIndex, endIndex: utf8Length(now.slice(0, end)), ...(text !== undefined && { text }) };
    };
  }
}

function around(text: string, from: number, to: number): string {
  const start = Math.max(0, from - AROUND);
  const shown = text.slice(start, to + AROUND).replace(/^[\udc00-\udfff]|[\ud800-\udbff]$/g, "");
  return `${start > 0 ? "…" : ""}${shown}${to + AROUND < text.length ? "…" : ""}`;
}

interface Response extends Members {
  readonly content: Content & Members;
}

function isResponse(value: Members): value is Response {
  const { content, candidate } = value;
  return isObject(content) && Array.isArray(content["parts"]) && isObject(candidate);
}

/** A call that had a signature gets the placeholder, which models that require a signature accept. */
function withoutSignatures(parts: readonly Part[]): readonly Part[] {
  return parts.flatMap((part): readonly Part[] => {
    if (part.thoughtSignature === undefined) return [part];
    if (part.functionCall !== undefined) return [{ ...part, thoughtSignature: PLACEHOLDER_SIGNATURE }];
    const { thoughtSignature: _, ...unsigned } = part;
    // An empty text only carries its signature.
    return unsigned.text === "" && Object.keys(unsigned).length === 1 ? [] : [unsigned];
  });
}

/** Members whose texts nobody wrote: kinds, names, ids and states of the log and the wire. */
const KEPT = wordsIn(
  "type runId sessionId session agent model endpoint family step token withdrawn callId jobId stopReason name role id data mimeType " +
    "thoughtSignature finishReason kind question hook do phase discarded approvedBy editable path handoff reads reach rule tool found breaks " +
    "status outcome calls after steered before language languageCode toolType category probability severity blockReason code action ended " +
    "urlRetrievalStatus modelVersion responseId createTime traceparent jsonPath key placeId unpriced pricesAsOf currency continuationToken " +
    "cachedContent mediaProcessing limit operation",
);
/** Members that hold only such texts. */
const KEPT_WHOLE = wordsIn(
  "place usage usageMetadata logprobsResult tools toolConfig generationConfig safetySettings safetyRatings videoMetadata mediaResolution modelStatus lost",
);
/** Bytes as base64, in which the beginning of a key is a coincidence. */
const OPAQUE = wordsIn("data thoughtSignature");
/** Members of any shape. */
const FREE = wordsIn("args metadata runMetadata partMetadata customMetadata details progress output given");
