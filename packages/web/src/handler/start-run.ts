import {
  AgentError,
  type ContinueOptions,
  type ErrorCode,
  type Limits,
  type OptionsArgument,
  type RunOptions,
} from "@pollux/core";
import { BadRequestError, type ChatRequest } from "../chat-protocol.ts";
import { GoingRun } from "./going-run.ts";
import { HttpError } from "./http-error.ts";
import type { OpenSession } from "./open-sessions.ts";
import type { ChatCall, Serving } from "./serving.ts";

/** What a run is started with, besides what the visitor gives it. */
export interface StartOptions extends ContinueOptions {
  readonly runId?: string | undefined;
  /** What a client brings. */
  readonly clientTools?: ChatRequest["tools"];
  /** What the run that is resumed has cost. */
  readonly costSoFar?: number | undefined;
  /** In place of the agent's. */
  readonly limits?: Limits | undefined;
}

/**
 * Starts a run or resumes one, whichever the session's state calls for. It goes on whether anybody looks or not.
 *
 * @throws {HttpError} When the owner has nothing left to spend.
 * @throws {BadRequestError} When clients may not bring tools.
 */
export async function startRun<Context>(
  serving: Serving<Context>,
  { session, add }: OpenSession<Context>,
  { visitor, platform }: ChatCall<Context>,
  { clientTools = [], costSoFar = 0, limits, ...given }: StartOptions,
): Promise<GoingRun> {
  if (clientTools.length > 0 && serving.options.clientTools !== true)
    throw new BadRequestError("This server accepts no tools from its clients.");
  const going = serving.sessions.runsOf(visitor.owner).reduce((sum, { cost }) => sum + cost, 0);
  const cost = await serving.spending?.left(visitor.owner, going, costSoFar);
  const controller = new AbortController();
  const options: ContinueOptions & RunOptions<undefined, Context> = {
    ...given,
    signal: controller.signal,
    ...(clientTools.length > 0 && { extraTools: clientTools }),
    ...((limits ?? cost) !== undefined && { limits: { ...limits, ...(cost !== undefined && { cost }) } }),
  };
  // A visitor has the context if the agent needs one.
  const argument = [{ ...options, context: visitor.context }] as unknown as OptionsArgument<typeof options, Context>;
  const run = new GoingRun(session.continueStream(...argument), controller);
  add(run);
  platform.waitUntil?.(run.over);
  void run.over.then(() => {
    if (run.failure !== undefined && isUnexpected(run.failure.error))
      serving.log(run.failure.error, { session: session.id });
  });
  return run;
}

/** Ends that a client brings about, or that it is told of by the answer. */
const EXPECTED: ReadonlySet<ErrorCode> = new Set([
  "session_running",
  "unexpected_answer",
  "invalid_approval",
  "nothing_to_resume",
  "session_limit",
  "rewind_target",
  "run_stopped",
  "run_aborted",
]);

function isUnexpected(error: unknown): boolean {
  if (error instanceof AgentError) return !EXPECTED.has(error.code);
  return !(error instanceof DOMException && error.name === "AbortError");
}

/** Why a session did not take what a client sent, fit for the client; undefined for any other error. */
export function refusalOf(error: unknown): HttpError | undefined {
  if (!(error instanceof AgentError)) return undefined;
  switch (error.code) {
    case "session_running":
      return new HttpError(409, "running", "A run is in progress. Wait until it has finished, or stop it first.");
    case "unexpected_answer":
    case "nothing_to_resume":
      return new HttpError(409, "answered", "The call is not waiting for this answer. Load the conversation again.");
    case "rewind_target":
      return new HttpError(409, "message_gone", "The conversation has no such message. Load it again.");
    case "invalid_approval":
      return new HttpError(422, "invalid_approval", error.message);
    case "session_limit":
      return new HttpError(429, "session_limit", "The conversation has reached its limit. Start a new one.");
    default:
      return undefined;
  }
}
