import { HttpError } from "./http-error.ts";

interface BodyLimit {
  readonly maxBytes?: number | undefined;
  readonly advice?: string | undefined;
}

/**
 * The JSON of a request's body. One that is too large is refused before it is read to its end.
 *
 * @param limit - `maxBytes`: 16 MiB by default. `advice`: a sentence for who sends more.
 * @throws {HttpError} 415 `not_json`, 413 `body_too_large`, 400 `bad_json`, or 400 `bad_body` for a body that breaks off.
 */
export async function readJson(request: Request, limit: BodyLimit = {}): Promise<unknown> {
  const type = request.headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  // A page of another site can send text without asking first, but not JSON.
  if (type !== "application/json")
    throw new HttpError(415, "not_json", 'Send JSON, with the header "content-type: application/json".');
  const text = await readText(request, limit);
  try {
    return JSON.parse(text);
  } catch {
    throw new HttpError(400, "bad_json", "The body is not valid JSON.");
  }
}

async function readText(
  { body, headers }: Request,
  { maxBytes = 16 * 1024 * 1024, advice }: BodyLimit,
): Promise<string> {
  const said = `The body is larger than ${maxBytes} bytes.${advice === undefined ? "" : ` ${advice}`}`;
  if (Number(headers.get("content-length") ?? 0) > maxBytes) throw new HttpError(413, "body_too_large", said);
  if (body === null) return "";
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const reader = body.getReader();
  let text = "";
  let length = 0;
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      length += piece.value.byteLength;
      if (length > maxBytes) throw new HttpError(413, "body_too_large", said);
      text += decode(decoder, piece.value);
    }
    return text + decode(decoder);
  } catch (error) {
    reader.cancel().catch(() => {});
    if (error instanceof HttpError) throw error;
    throw new HttpError(400, "bad_body", "The body ended early.");
  }
}

function decode(decoder: TextDecoder, bytes?: Uint8Array): string {
  try {
    return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
  } catch {
    throw new HttpError(400, "bad_json", "The body is not valid UTF-8.");
  }
}
