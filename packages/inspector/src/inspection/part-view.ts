import type { Json } from "@pollux/core";
import type { CitationView, MediaRef, MediaView, PartKind, PartView, SignatureView } from "./turn-details.ts";
import { base64Bytes, type Fields, fieldsOf, isFields, listOf, textOf } from "./read-values.ts";

/** Where a content stands in the log, with facts that its parts don't have. */
export interface ContentPlace {
  /** Position of its entry in the log. */
  readonly position: number;
  /** The keys from the entry to the list of parts. */
  readonly path: readonly (string | number)[];
  /** Model and family that made its signatures. */
  readonly madeBy?: string | undefined;
  /** Keys of its calls in the log, in call order. */
  readonly callIds?: readonly { readonly index: number; readonly callId: string }[] | undefined;
  /** Ranges of its visible text, whose parts are joined. */
  readonly citations?: readonly CitationView[] | undefined;
}

/** The parts of any content as chips. */
export function partViews(parts: unknown, place: ContentPlace): readonly PartView[] {
  let visible = 0;
  return listOf(parts).map((part, index): PartView => {
    const fields = fieldsOf(part);
    const kind = kindOf(fields);
    const from = visible;
    if (kind === "text") visible += (textOf(fields["text"]) ?? "").length;
    const citations = kind === "text" ? citationsWithin(place.citations ?? [], from, visible) : [];
    const unknown = Object.keys(fields).filter((key) => !KNOWN.has(key));
    return {
      kind,
      index,
      ...dataOf(kind, fields, place, index),
      signature: signatureOf(fields["thoughtSignature"], place.madeBy),
      callId: place.callIds?.find((one) => one.index === index)?.callId,
      citations: citations.length > 0 ? citations : undefined,
      unknown: unknown.length > 0 ? unknown : undefined,
      raw: shorten(part),
    };
  });
}

/** Members of a part that define its kind. */
const DATA: readonly (readonly [member: string, kind: PartKind])[] = [
  ["functionCall", "call"],
  ["functionResponse", "response"],
  ["toolCall", "server-call"],
  ["toolResponse", "server-response"],
  ["executableCode", "code"],
  ["codeExecutionResult", "code-result"],
  ["inlineData", "media"],
  ["fileData", "media"],
];

/** Members of a part that this release knows. */
const KNOWN: ReadonlySet<string> = new Set([
  ...DATA.map(([member]) => member),
  "text",
  "thought",
  "thoughtSignature",
  "videoMetadata",
  "mediaResolution",
]);

function kindOf(part: Fields): PartKind {
  const data = DATA.find(([member]) => part[member] !== undefined);
  if (data !== undefined) return data[1];
  if (typeof part["text"] === "string" && (part["text"] !== "" || part["thoughtSignature"] === undefined))
    return part["thought"] === true ? "thought" : "text";
  return Object.keys(part).every((key) => KNOWN.has(key)) ? "empty" : "unknown";
}

type Data = Omit<PartView, "kind" | "index" | "raw">;

function dataOf(kind: PartKind, part: Fields, place: ContentPlace, index: number): Data {
  switch (kind) {
    case "text":
    case "thought":
      return { text: textOf(part["text"]) ?? "" };
    case "call":
      return callData(fieldsOf(part["functionCall"]), "name", "args");
    case "server-call":
      return callData(fieldsOf(part["toolCall"]), "toolType", "args");
    case "server-response":
      return callData(fieldsOf(part["toolResponse"]), "toolType", "response");
    case "response": {
      const response = fieldsOf(part["functionResponse"]);
      const attached = listOf(response["parts"]).flatMap(
        (one, at) => mediaOf(fieldsOf(one), place, [index, "functionResponse", "parts", at]) ?? [],
      );
      return { ...callData(response, "name", "response"), attached: attached.length > 0 ? attached : undefined };
    }
    case "code": {
      const { code, language } = fieldsOf(part["executableCode"]);
      return { text: textOf(code) ?? "", label: textOf(language) };
    }
    case "code-result": {
      const { output, outcome } = fieldsOf(part["codeExecutionResult"]);
      return { text: textOf(output) ?? "", label: textOf(outcome) };
    }
    case "media":
      return { media: mediaOf(part, place, [index]) };
    case "empty":
    case "unknown":
      return {};
  }
}

function callData(call: Fields, name: "name" | "toolType", value: "args" | "response"): Data {
  const data = call[value];
  return {
    name: textOf(call[name]) ?? "",
    id: textOf(call["id"]),
    ...(data !== undefined && { [value]: shorten(data) }),
  };
}

function mediaOf(part: Fields, place: ContentPlace, at: readonly (string | number)[]): MediaView | undefined {
  const blob = part["inlineData"] ?? part["fileData"];
  if (blob === undefined) return undefined;
  const { data, mimeType, fileUri, displayName } = fieldsOf(blob);
  const ref: MediaRef = { position: place.position, path: [...place.path, ...at, "inlineData"] };
  return {
    mimeType: textOf(mimeType) ?? "",
    ...(typeof data === "string" && { bytes: base64Bytes(data), ref }),
    uri: textOf(fileUri),
    name: textOf(displayName),
  };
}

/** Characters shown of a signature. */
const SIGNATURE_START = 24;

function signatureOf(signature: unknown, madeBy: string | undefined): SignatureView | undefined {
  if (typeof signature !== "string") return undefined;
  return { bytes: base64Bytes(signature), start: signature.slice(0, SIGNATURE_START), madeBy };
}

function citationsWithin(citations: readonly CitationView[], from: number, to: number): readonly CitationView[] {
  return citations
    .filter(({ start, end }) => start < to && end > from)
    .map(({ start, end, sources }) => ({
      start: Math.max(start, from) - from,
      end: Math.min(end, to) - from,
      sources,
    }));
}

/** Longer base64 is cut: nobody reads it, and the page can fetch its bytes. */
const LONG = 512;
const MAX_LEVELS = 100;

/** A value for display, with long base64 cut. */
export function shorten(value: unknown, level: number = 0): Json {
  if (level > MAX_LEVELS) return "(nested too deeply to be shown)";
  if (Array.isArray(value)) return value.map((item) => shorten(item, level + 1));
  if (!isFields(value)) return (value ?? null) as Json;
  const copy: { [name: string]: Json } = {};
  for (const [name, item] of Object.entries(value)) {
    const isBlob = (name === "data" || name === "thoughtSignature") && typeof item === "string" && item.length > LONG;
    const shown = isBlob ? `${item.slice(0, 64)}… (${item.length} characters of base64)` : shorten(item, level + 1);
    // A member of any name, without setting a prototype.
    Object.defineProperty(copy, name, { value: shown, enumerable: true, configurable: true, writable: true });
  }
  return copy;
}
