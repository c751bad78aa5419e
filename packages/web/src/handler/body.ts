import { HttpError } from "./http-error.ts";

/** A request's body as JSON. @throws {HttpError} When it isn't JSON, or is larger than `maxBytes`. */
export async function readJson(request: Request, maxBytes: number): Promise<unknown> {
  const type = request.headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/json")
    throw new HttpError(415, "not_json", 'Send JSON, with the header "content-type: application/json".');
  const text = await readText(request, maxBytes);
  try {
    return JSON.parse(text);
  } catch {
    throw new HttpError(400, "bad_json", "The body is not valid JSON.");
  }
}

async function readText({ body, headers }: Request, maxBytes: number): Promise<string> {
  if (Number(headers.get("content-length") ?? 0) > maxBytes) throw tooLarge(maxBytes);
  if (body === null) return "";
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const reader = body.getReader();
  let text = "";
  let length = 0;
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      length += piece.value.byteLength;
      if (length > maxBytes) throw tooLarge(maxBytes);
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

function tooLarge(maxBytes: number): HttpError {
  return new HttpError(
    413,
    "body_too_large",
    `The body is larger than ${maxBytes} bytes. Send only the last message, and upload files elsewhere.`,
  );
}

/** @throws {HttpError} For headers or an address that are longer than anything this handler reads. */
export function checkHeaders(request: Request, maxBytes: number): void {
  if (request.url.length > MAX_URL)
    throw new HttpError(414, "url_too_long", `The URL is longer than ${MAX_URL} characters.`);
  let length = 0;
  for (const [name, value] of request.headers) length += name.length + value.length + 4;
  if (length > maxBytes)
    throw new HttpError(431, "headers_too_large", `The headers are larger than ${maxBytes} bytes in total.`);
}

const MAX_URL = 4096;
