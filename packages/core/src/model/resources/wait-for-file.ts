import { ConfigurationError } from "../../errors/agent-error.ts";
import { ApiShapeError, FileStateError } from "../../errors/api-errors.ts";
import { sleep } from "../../internal/abort.ts";
import { isObject } from "../../internal/json.ts";
import type { CallOptions, CallSignal } from "../../wire/client-options.ts";
import type { ApiClient } from "../../wire/client.ts";
import { embeddedError } from "../../wire/errors/http-errors.ts";
import { isErrorObject, isFile, parseJson } from "../../wire/http/read-answers.ts";
import type { GeminiFile } from "../../wire/types/resources.ts";

/** Options of `Files.wait()`. */
export interface WaitForFileOptions extends CallSignal {
  /** Longest wait in milliseconds. A long video takes minutes. @defaultValue 600_000 */
  readonly timeoutMs?: number | undefined;
  /** Milliseconds before the second poll; each further wait is 1.5 times as long, up to 10_000. @defaultValue 1_000 */
  readonly pollMs?: number | undefined;
}

/** The current state of a file, by its resource path. */
export async function getFile(client: ApiClient, path: string, options: CallOptions): Promise<GeminiFile> {
  return await client.whole({ operation: "getFile", method: "GET", path }, options, (text, exchange) => {
    const answer = parseJson(text);
    // Checked first: a failed file has a field `error`, just as an error object does.
    if (isFile(answer)) return answer;
    if (isObject(answer) && isErrorObject(answer)) throw embeddedError(answer, exchange.failure);
    throw new ApiShapeError("The response is not a file: it lacks name or uri.", "$", text);
  });
}

const LONGEST_POLL_MS = 10_000;

/** See `Files.wait()`. */
export async function waitForFile(
  client: { get(file: string | GeminiFile, options: CallSignal): Promise<GeminiFile> },
  file: string | GeminiFile,
  options: WaitForFileOptions = {},
): Promise<GeminiFile> {
  const { signal, timeoutMs = 600_000, pollMs = 1_000 } = options;
  for (const [name, value] of Object.entries({ timeoutMs, pollMs }))
    if (!(value > 0)) throw new ConfigurationError(`${name} is ${value}: it must be greater than 0 milliseconds.`);
  const endsAt = performance.now() + timeoutMs;
  let known = typeof file === "string" ? await client.get(file, { signal }) : file;
  // An unknown state counts as ready: a request with the file will fail if it is not.
  const unready = new Set<string | undefined>(["PROCESSING", "STATE_UNSPECIFIED"]);
  for (let wait = pollMs; unready.has(known.state); wait = Math.min(wait * 1.5, LONGEST_POLL_MS)) {
    const left = endsAt - performance.now();
    if (left <= 0)
      throw new FileStateError(
        `${known.name} is still being processed after ${timeoutMs} ms: wait longer (timeoutMs), or check it again later by name.`,
        known.name,
        known.state ?? "PROCESSING",
      );
    await sleep(Math.min(wait, left), signal);
    known = await client.get(known, { signal });
  }
  if (known.state !== "FAILED") return known;
  const why = known.error?.message ?? "the service gave no reason";
  throw new FileStateError(
    `The service could not process ${known.name} (${why}): check that its content is ${known.mimeType ?? "of its media type"}, and upload it again.`,
    known.name,
    "FAILED",
  );
}
