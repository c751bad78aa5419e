import { describeAnswer } from "./describe-answer.ts";
import { featuresOf } from "./features-of.ts";
import type { RecordedEnd, RecordedExchange } from "./recording-format.ts";
import type { Scrubber } from "./scrubber.ts";
import { fingerprintOf, type SentBody, type SentRequest } from "./sent-request.ts";

/** What came back. */
export interface SeenAnswer {
  /** 0 where no answer came. */
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  /** True for a body that is no text: base64. */
  readonly isBinary: boolean;
  readonly ended: RecordedEnd;
}

/** An exchange as it is written, but for its place among the others. */
export function describeExchange(
  sent: SentRequest,
  body: SentBody,
  answer: SeenAnswer,
  scrubber: Scrubber,
): Omit<RecordedExchange, "continues" | "position"> {
  const { status, ended, isBinary } = answer;
  const path = scrubber.path(sent.url);
  const responseBody = isBinary ? answer.body : scrubber.body(answer.body, status);
  const facts = describeAnswer(isBinary ? "" : responseBody, answer.headers.get("content-type") ?? "");
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
    responseHeaders: scrubber.responseHeaders(answer.headers),
    responseBody,
    ...(isBinary && { responseEncoding: "base64" as const }),
    ...(ended !== "complete" && { ended }),
    kind: [isStream ? "stream" : "unary", ...(status >= 200 && status < 300 ? [] : ["error"])],
    features: featuresOf({
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
