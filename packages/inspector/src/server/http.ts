import type { Json } from "@pollux/core";
import { redact } from "@pollux/core/wire";
import { SourceError } from "../inspection/source.ts";

/** An answer other than the one that was asked for. Its message is shown to the person in front of the page. */
export class HttpError extends SourceError {
  override readonly name = "HttpError";
  readonly status: number;

  constructor(status: number, code: string, message: string) {
    super(code, message);
    this.status = status;
  }
}

/** Headers of all data: for one person, not stored anywhere, and never anything but what it says it is. */
export const PRIVATE: { readonly [name: string]: string } = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** JSON without keys, whatever a log holds. @param secrets - The same array each time. */
export function replyJson(value: unknown, secrets: readonly string[], status: number = 200): Response {
  return new Response(redact(JSON.stringify(value), secrets), {
    status,
    headers: { ...PRIVATE, "content-type": "application/json; charset=utf-8" },
  });
}

export function replyError({ status, code, message }: HttpError, secrets: readonly string[]): Response {
  return replyJson({ error: { code, message } }, secrets, status);
}

/** Most bytes of a request's body. */
const MAX_BODY = 16 * 1024 * 1024;

/** The JSON of a request's body. @throws {HttpError} When it is none, or too much. */
export async function readJson(request: Request): Promise<Json> {
  const type = request.headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  // A page of another site can send text without asking first, but not JSON.
  if (type !== "application/json")
    throw new HttpError(415, "not-json", 'Send JSON, with the header "content-type: application/json".');
  const text = await readText(request);
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new HttpError(400, "bad-json", "The body is not valid JSON.");
  }
}

async function readText({ body, headers }: Request): Promise<string> {
  if (Number(headers.get("content-length") ?? 0) > MAX_BODY) throw tooLarge();
  if (body === null) return "";
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let text = "";
  let length = 0;
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    length += piece.value.byteLength;
    if (length > MAX_BODY) {
      reader.cancel().catch(() => {});
      throw tooLarge();
    }
    text += decoder.decode(piece.value, { stream: true });
  }
  return text + decoder.decode();
}

function tooLarge(): HttpError {
  return new HttpError(413, "too-large", `The body may have ${MAX_BODY} bytes.`);
}
