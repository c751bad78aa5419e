import { ConfigurationError } from "../errors/configuration-error.ts";
import { FileStateError } from "../errors/file-errors.ts";
import { sleep } from "../internal/abort.ts";
import type { GeminiFile } from "./file.ts";
import type { FilesClient } from "./files.ts";

/** Options of {@link waitForFile}. */
export interface WaitForFileOptions {
  /** Aborting it ends the wait, which then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Longest wait in milliseconds. A long video takes minutes. @defaultValue 600_000 */
  readonly timeoutMs?: number | undefined;
  /** Milliseconds before the second look; each wait is half as long again, up to 10_000. @defaultValue 1_000 */
  readonly pollMs?: number | undefined;
}

const LONGEST_POLL_MS = 10_000;

/**
 * Waits until the service has processed a file, which then is `ACTIVE`.
 *
 * @param file - As `upload` gave it, or its name. One that is known to be ready is given back without a request.
 * @throws {FileStateError} When the service failed to process it, or had not finished after `timeoutMs`.
 */
export async function waitForFile(
  files: Pick<FilesClient, "get">,
  file: string | GeminiFile,
  options: WaitForFileOptions = {},
): Promise<GeminiFile> {
  const { signal, timeoutMs = 600_000, pollMs = 1_000 } = options;
  for (const [name, value] of Object.entries({ timeoutMs, pollMs }))
    if (!(value > 0)) throw new ConfigurationError(`${name} is ${value}: it must be more than 0 milliseconds.`);
  const endsAt = performance.now() + timeoutMs;
  let known = typeof file === "string" ? await files.get(file, { signal }) : file;
  for (let wait = pollMs; isUnready(known); wait = Math.min(wait * 1.5, LONGEST_POLL_MS)) {
    const left = endsAt - performance.now();
    if (left <= 0)
      throw new FileStateError(
        `${known.name} is still being processed after ${timeoutMs} ms: wait longer (timeoutMs), or come back to it with its name.`,
        known.name,
        known.state ?? "PROCESSING",
      );
    await sleep(Math.min(wait, left), signal);
    known = await files.get(known, { signal });
  }
  if (known.state !== "FAILED") return known;
  const why = known.error?.message ?? "no reason was given";
  throw new FileStateError(
    `The service could not process ${known.name} (${why}): check that its content is ${known.mimeType ?? "of its media type"}, and upload it again.`,
    known.name,
    "FAILED",
  );
}

/** A state that is not known here is taken for a usable one: a request with the file will say. */
function isUnready({ state }: GeminiFile): boolean {
  return state === "PROCESSING" || state === "STATE_UNSPECIFIED";
}
