import { HttpError } from "@pollux/core/serving";
import {
  AgentError,
  type ContinueOptions,
  type Limits,
  type OptionsArgument,
  type RunEvent,
  type RunOptions,
} from "@pollux/core";
import { SessionLimitError } from "@pollux/core/errors";
import type { ChatRequest } from "../chat-protocol.ts";
import { drainingError } from "./draining.ts";
import { type DataPart, isDataPart } from "../data-part.ts";
import { GoingRun } from "./going-run.ts";
import type { OpenSession } from "./open-sessions.ts";
import type { ServingOptions } from "./options.ts";
import type { PageEntry } from "./page-log.ts";
import { settingsOf } from "./per-run.ts";
import type { ChatCall, Serving } from "./serving.ts";

/** What a run is started with, besides what the visitor gives it. */
export interface StartOptions extends ContinueOptions {
  readonly runId?: string | undefined;
  /** Tools that the client executes. */
  readonly clientTools?: ChatRequest["tools"];
  /** What the client sent along. */
  readonly chatRequest?: Pick<ChatRequest, "body" | "message"> | undefined;
  /** Replace the agent's. */
  readonly limits?: Limits | undefined;
  /** Makes room for the run, once it is known that the client may have it. */
  readonly prepare?: (() => Promise<void>) | undefined;
}

/**
 * Starts or resumes a run, depending on the session's state. It continues with or without a reader.
 *
 * @throws {HttpError} When the owner has nothing left to spend.
 */
export async function startRun<Context>(
  serving: Serving<Context, ServingOptions<Context>>,
  { session, add: use }: OpenSession<Context>,
  { visitor, platform }: Pick<ChatCall<Context>, "visitor" | "platform">,
  { clientTools = [], chatRequest, limits, prepare, ...given }: StartOptions,
): Promise<GoingRun> {
  await serving.spending?.check(visitor.owner);
  const cost = serving.options.spending?.maxCostPerRun;
  const { pages } = serving;
  const { body: sent = {}, message: { metadata } = {} } = chatRequest ?? {};
  let begun: string | undefined;
  let turn: number | undefined;
  const add = async (entry: Omit<PageEntry, "runId">, runId: string | undefined): Promise<void> => {
    try {
      if (runId !== undefined) await pages.add(session.id, runId, entry);
    } catch (error) {
      serving.log(error, { session: session.id });
    }
  };
  const send = async (part: DataPart): Promise<void> => await add({ part, turn }, begun);
  const known = Object.keys(sent).length > 0 ? undefined : pages.of(session.id).bodyOf(given.runId);
  const { perRun } = serving.options;
  const { settings, body } = await settingsOf(perRun, { body: known ?? sent, visitor, send });
  serving.draining.check();
  await prepare?.();
  serving.draining.check();
  const controller = new AbortController();
  const extraTools = [...(settings.extraTools ?? []), ...clientTools];
  const options: ContinueOptions & Omit<RunOptions<undefined, Context>, "context"> = {
    ...settings,
    ...given,
    signal: controller.signal,
    ...(extraTools.length > 0 && { extraTools }),
    ...((limits ?? cost) !== undefined && {
      limits: { ...settings.limits, ...limits, ...(cost !== undefined && { cost }) },
    }),
  };
  // A visitor has the context if the agent needs one.
  const { context = visitor.context } = settings;
  const argument = [{ ...options, context }] as unknown as OptionsArgument<typeof options, Context>;
  const { runId } = given;
  const forget = runId === undefined || metadata === undefined ? undefined : pages.expect(runId, { metadata });
  const run = new GoingRun(session.continueStream(...argument), controller, (event) => {
    if (event.type === "run-start") {
      begun = event.runId;
      const about = { ...(known === undefined && { body }), ...(begun === runId && { metadata }) };
      return add(about, begun);
    }
    const waitMs = serviceWaitMs(event);
    if (waitMs !== undefined) pages.of(session.id).tell({ runId: begun, until: performance.now() + waitMs });
    if ("turn" in event && SHOWS_TURN.has(event.type)) ({ turn } = event);
    return event.type === "tool-progress" && isDataPart(event.progress) ? send(event.progress) : undefined;
  });
  use(run);
  if (serving.abortAfterMs !== undefined) serving.readers.abortWhenLeft(session.id, run, serving.abortAfterMs);
  platform.waitUntil?.(run.over);
  void run.over.then(async () => {
    const isLeft = forget?.() === true && begun !== runId;
    if (isLeft && run.failure === undefined) await add({ metadata }, runId);
    if (run.failure !== undefined && isUnexpected(run.failure.error))
      serving.log(run.failure.error, { session: session.id });
  });
  return run;
}

/** Events with which a turn begins to show something: a part that was sent earlier is placed before the turn. */
const SHOWS_TURN: ReadonlySet<RunEvent["type"]> = new Set([
  "text-delta",
  "thought-delta",
  "call-args-delta",
  "part",
  "response",
]);

/** How long a request waits for a busy service, in milliseconds. Pages learn nothing else about it: the service's message is not for them. */
function serviceWaitMs(event: RunEvent): number | undefined {
  if (event.type !== "notice" || event.notice.type === "heal") return undefined;
  const { delayMs, error } = event.notice;
  return error.status === 429 || error.status === 503 ? delayMs : undefined;
}

/** False for errors that a client causes, or learns about from the answer. */
function isUnexpected(error: unknown): boolean {
  if (!(error instanceof AgentError)) return !(error instanceof DOMException && error.name === "AbortError");
  const { code } = error;
  if (code === "run_stopped" || code === "run_aborted") return false;
  return code === "session_lease_lost" || refusalOf(error) === undefined;
}

/** The answer to a message that a run in progress refuses. */
export function runningError(
  message = "An answer is being written. Wait until it is finished, or stop it.",
): HttpError {
  return new HttpError(409, "running", message);
}

/** Why a session did not take what a client sent, fit for the client; undefined for any other error. */
export function refusalOf(error: unknown): HttpError | undefined {
  if (!(error instanceof AgentError)) return undefined;
  switch (error.code) {
    case "session_running":
      return runningError();
    case "session_conflict":
    case "session_lease_lost":
      return new HttpError(409, "changed", "The conversation was deleted or changed meanwhile. Load it again.");
    case "unexpected_answer":
    case "nothing_to_resume":
      return new HttpError(409, "answered", "The call is not waiting for this answer. Load the conversation again.");
    case "session_unfinished":
      return new HttpError(
        409,
        "waiting",
        "A call waits for an answer. Give it, or withdraw the call, before the next message.",
      );
    case "rewind_target":
      return new HttpError(409, "message_gone", "The conversation has no such message. Load it again.");
    case "invalid_approval":
      return new HttpError(422, "invalid_approval", error.message);
    case "session_limit": {
      const name = error instanceof SessionLimitError ? `_${error.limit}` : "";
      return new HttpError(429, `session_limit${name}`, "The conversation has reached its limit. Start a new one.");
    }
    case "run_released":
      return drainingError();
    default:
      return undefined;
  }
}
