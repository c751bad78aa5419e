import { createHash } from "node:crypto";
import { fingerprintOf } from "../brain/fingerprint.ts";
import { isFields } from "../internal/json.ts";
import type { AnswerDigest, DigestText, JsonFields, RecordedEnd, RecordedExchange } from "./recording-format.ts";
import type { Scrubber } from "./scrubber.ts";
import type { SentBody, SentRequest } from "./sent-request.ts";

/** The answer to a request. */
export interface SeenAnswer {
  /** 0 if there was no answer. */
  readonly status: number;
  readonly headers: Headers;
  /** Its text, or the bytes of a body that is not text. */
  readonly body: string | Uint8Array;
  readonly ended: RecordedEnd;
}

/** An exchange as written to the file, without its relation to the others. */
export function describeExchange(
  sent: SentRequest,
  body: SentBody,
  answer: SeenAnswer,
  scrubber: Scrubber,
  keepUnsearchable: boolean,
): Omit<RecordedExchange, "continues" | "position"> {
  const { status, headers, ended } = answer;
  scrubber.learnTools(body.json);
  const path = scrubber.path(sent.url);
  const binary =
    typeof answer.body === "string"
      ? undefined
      : scrubber.bytes(answer.body, {
          encoding: headers.get("content-encoding"),
          truncated: ended !== "complete",
          keepUnsearchable,
        });
  const text = typeof answer.body === "string" ? scrubber.body(answer.body, status, ended !== "complete") : "";
  const responseBody = binary === undefined ? text : Buffer.from(binary.bytes).toString("base64");
  const facts = describeAnswer(text, headers.get("content-type") ?? "");
  const request = body.json === undefined ? null : scrubber.request(body.json);
  const isStream = path.includes(":streamGenerateContent");
  const digest = ended === "complete" || responseBody !== "" ? facts.digest : null;
  return {
    method: sent.method,
    path,
    model: /models\/([^/:?]+)/.exec(path)?.[1] ?? null,
    modelVersion: facts.modelVersion,
    request,
    ...(body.bytes !== undefined && {
      requestBody: {
        mimeType: body.mimeType === null ? null : scrubber.text(body.mimeType),
        bytes: body.bytes.length,
        sha256: fingerprintOf(body.bytes, body.mimeType),
      },
    }),
    status,
    responseHeaders: scrubber.responseHeaders(headers),
    responseBody,
    ...(binary !== undefined && { responseEncoding: "base64" as const }),
    ...(binary?.note !== undefined && { responseNote: binary.note }),
    ...(ended !== "complete" && { ended }),
    kind: [isStream ? "stream" : "unary", ...(status >= 200 && status < 300 ? [] : ["error"])],
    features: listFeatures({
      request,
      parts: facts.parts,
      finishReasons: facts.digest?.finishReasons ?? [],
      usage: facts.digest?.usage ?? null,
      framing: facts.framing,
      isVertex: isVertexPath(path),
      isWhole: ended === "complete",
    }),
    framing: facts.framing,
    digest,
  };
}

/** True for paths of Vertex AI. */
export function isVertexPath(path: string): boolean {
  return /\/(?:projects|publishers)\//.test(path);
}

/** Facts about a body, found by parsing it. */
interface AnswerFacts {
  readonly framing: string;
  readonly modelVersion: string | null;
  /** Null for an incomplete body. */
  readonly digest: AnswerDigest | null;
  /** Parts of candidate 0. */
  readonly parts: readonly JsonFields[];
}

/** Longer texts are represented by their hash. */
const MAX_TEXT = 400;

/** Framing, digest and parts of a recorded body. */
function describeAnswer(body: string, contentType: string): AnswerFacts {
  const { framing, objects } = unframe(body, contentType);
  if (objects === undefined) return { framing, modelVersion: null, digest: null, parts: [] };
  const candidates = objects.map(firstCandidate);
  const parts = candidates.flatMap((candidate) => listOf(fieldsOf(candidate?.["content"])?.["parts"]));
  const versions = objects.map((object) => object["modelVersion"]).filter((version) => typeof version === "string");
  const usage = objects.map((object) => fieldsOf(object["usageMetadata"])).findLast((one) => one !== undefined);
  const digest: AnswerDigest = {
    objects: objects.length,
    parts: parts.length,
    text: digestText(textOf(parts, false)),
    thoughts: digestText(textOf(parts, true)),
    calls: callsOf(parts),
    signatures: parts.filter((part) => typeof part["thoughtSignature"] === "string").length,
    finishReasons: candidates
      .map((candidate) => candidate?.["finishReason"])
      .filter((reason) => typeof reason === "string" || typeof reason === "number"),
    usage: usage ?? null,
  };
  return { framing, modelVersion: versions.at(-1) ?? null, digest, parts };
}

/** The JSON objects of a body; undefined if it is not complete JSON. */
function unframe(
  body: string,
  contentType: string,
): { readonly framing: string; readonly objects: readonly JsonFields[] | undefined } {
  const isEventStream = contentType.includes("event-stream");
  if (/^\s*data:/.test(body) || (isEventStream && !/^\s*[[{]/.test(body))) {
    const lines = body.split(/\r\n|\n|\r/).filter((line) => line !== "");
    const blocks = body.split(/(?:\r\n|\n|\r){2,}/).filter((block) => block.trim() !== "");
    const data = lines.filter((line) => line.startsWith("data:"));
    return {
      framing: data.length > blocks.length ? "sse-without-blank-lines" : "sse",
      objects: parseAll(data.map((line) => line.slice("data:".length))),
    };
  }
  const objects = parseAll([body]);
  if (objects === undefined) return { framing: "other", objects };
  if (body.trimStart().startsWith("[")) return { framing: "json-array", objects };
  return { framing: isEventStream ? "bare-json-as-event-stream" : "json", objects };
}

function parseAll(texts: readonly string[]): readonly JsonFields[] | undefined {
  try {
    const values = texts.flatMap((text): unknown => JSON.parse(text));
    return values.every(isFields) ? values : undefined;
  } catch {
    return undefined;
  }
}

function firstCandidate(object: JsonFields): JsonFields | undefined {
  return listOf(object["candidates"]).find((candidate) => Number(candidate["index"] ?? 0) === 0);
}

function textOf(parts: readonly JsonFields[], thoughts: boolean): string {
  return parts
    .filter((part) => (part["thought"] === true) === thoughts)
    .map(({ ["text"]: text }) => (typeof text === "string" ? text : ""))
    .join("");
}

function digestText(text: string): DigestText {
  const chars = Array.from(text).length;
  if (chars <= MAX_TEXT) return text;
  return { chars, utf8: Buffer.byteLength(text), sha256: createHash("sha256").update(text).digest("hex") };
}

/** The function calls of some parts, in order. */
export function callsOf(parts: readonly JsonFields[]): readonly JsonFields[] {
  return parts.map((part) => part["functionCall"]).filter(isFields);
}

/** The objects of a list, or a single object as a list. */
export function listOf(value: unknown): readonly JsonFields[] {
  return (Array.isArray(value) ? value : [value]).filter(isFields);
}

/** The value if it is a JSON object. */
export function fieldsOf(value: unknown): JsonFields | undefined {
  return isFields(value) ? value : undefined;
}

/** Input of {@link listFeatures}. */
interface FeatureSource {
  readonly request: unknown;
  /** Parts of candidate 0. */
  readonly parts: readonly JsonFields[];
  readonly finishReasons: readonly (string | number)[];
  readonly usage: JsonFields | null;
  readonly framing: string;
  readonly isVertex: boolean;
  /** False for an answer that is incomplete. */
  readonly isWhole: boolean;
}

/** Names of the features of an exchange, sorted. */
function listFeatures(source: FeatureSource): readonly string[] {
  const { parts, finishReasons, usage, framing } = source;
  const request = fieldsOf(source.request) ?? {};
  const config = fieldsOf(request["generationConfig"]) ?? {};
  const tools = listOf(request["tools"]);
  const sent = listOf(request["contents"]).flatMap((content) => listOf(content["parts"]));
  const calls = callsOf(parts);
  const mode = fieldsOf(fieldsOf(request["toolConfig"])?.["functionCallingConfig"])?.["mode"];
  const signed = parts.filter((part) => typeof part["thoughtSignature"] === "string");
  const occurs: Readonly<Record<string, boolean>> = {
    call_id: calls.some((call) => call["id"] !== undefined),
    cached_tokens: usage?.["cachedContentTokenCount"] !== undefined,
    code_execution: parts.some((part) => part["executableCode"] !== undefined),
    cut: !source.isWhole,
    function_call: calls.length > 0,
    function_response_in: sent.some((part) => part["functionResponse"] !== undefined),
    json_array_stream: framing === "json-array",
    max_tokens: finishReasons.includes("MAX_TOKENS"),
    mixed_tools: tools.some((tool) => tool["functionDeclarations"] !== undefined) && tools.some(isServerSide),
    multi_turn: listOf(request["contents"]).some((content) => content["role"] === "model"),
    no_finish_reason: finishReasons.length === 0,
    parallel_calls: calls.length > 1,
    server_side_tool: tools.some(isServerSide),
    signature_in: sent.some((part) => typeof part["thoughtSignature"] === "string"),
    signature_on_call: signed.some((part) => part["functionCall"] !== undefined),
    signature_on_text: signed.some((part) => typeof part["text"] === "string" && part["text"] !== ""),
    structured_output: (config["responseSchema"] ?? config["responseJsonSchema"]) !== undefined,
    thinking: parts.some((part) => part["thought"] === true),
    thinking_config: config["thinkingConfig"] !== undefined,
    thinking_tokens: usage?.["thoughtsTokenCount"] !== undefined,
    thought_signature: signed.length > 0,
    tool_mode_any: mode === "ANY",
    tool_mode_none: mode === "NONE",
    tool_mode_validated: mode === "VALIDATED",
    tools_declared: tools.some((tool) => tool["functionDeclarations"] !== undefined),
    vertex: source.isVertex,
  };
  return Object.entries(occurs).flatMap(([name, is]) => (is ? [name] : []));
}

function isServerSide(tool: JsonFields): boolean {
  return Object.keys(tool).some((name) => name !== "functionDeclarations");
}
