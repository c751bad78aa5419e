import type { RecordedAnswer } from "../brain/answer.ts";
import type { Brain } from "../brain/brain.ts";
import { fingerprintOf } from "../brain/fingerprint.ts";
import { framesOf } from "../brain/replay.ts";
import type { EmulatorOptions } from "../emulator-options.ts";
import { type IncomingRequest, originOf } from "../incoming-request.ts";
import { prettyJson } from "../internal/json.ts";
import type { LoggedRequest, Note } from "../request-log.ts";
import type { Profile } from "../validate/types.ts";
import { deliver } from "./deliver.ts";
import { answerHeaders } from "./headers.ts";

/** Facts about the request besides its content. */
export interface ReplayContext {
  readonly profile: Profile;
  readonly options: EmulatorOptions;
  readonly note: Note;
  readonly noteEnd: (changes: Partial<LoggedRequest["answered"]>) => void;
}

/** The recorded answer to a request that doesn't become a turn; undefined if the brain has none. */
export async function replayAnswer(
  brain: Brain,
  incoming: IncomingRequest,
  { profile, options, note, noteEnd }: ReplayContext,
): Promise<Response | undefined> {
  const { signal, method, bytes, headers } = incoming;
  const sha256 = bytes.length === 0 ? undefined : fingerprintOf(bytes, headers.get("content-type"));
  const answer = await brain.replay?.({ method, path: note.path, body: note.body, sha256 }, signal);
  if (answer?.recorded === undefined) return undefined;
  const { recorded, fault } = answer;
  note.answered({ status: recorded.status });
  const init = { status: recorded.status, headers: headersOf(recorded, incoming, profile) };
  if (recorded.encoding === "base64" || WITHOUT_BODY.has(recorded.status)) {
    noteEnd({ complete: true });
    return new Response(WITHOUT_BODY.has(recorded.status) ? null : Buffer.from(recorded.body, "base64"), init);
  }
  const stream = deliver({
    body: { frames: framesOf(recorded.body), frame: prettyJson },
    signal,
    chunkMs: options.delays?.chunkMs ?? 0,
    fault,
    onEnd: (complete) => noteEnd({ complete, rule: fault?.rule }),
  });
  return new Response(stream, init);
}

/** Statuses for which HTTP allows no body. */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

function headersOf(
  { contentType, headers = {} }: RecordedAnswer,
  incoming: IncomingRequest,
  profile: Profile,
): Record<string, string> {
  // A recording has only the path of a URL for a follow-up request; the emulator adds its own host.
  const own = Object.entries(headers).map(([name, value]): [string, string] => [
    name,
    name.endsWith("-url") && value.startsWith("/") ? `${originOf(incoming)}${value}` : value,
  ]);
  return { ...answerHeaders(profile, contentType), ...Object.fromEntries(own) };
}
