import { HttpError } from "@pollux/core/serving";
import {
  Agent,
  type Answers,
  type Json,
  type PendingCall,
  type RunInput,
  type RunOptions,
  type RunStream,
  type Session,
} from "@pollux/core";
import { fieldsOf, textOf } from "../inspection/read-values.ts";
import type { ActionResult } from "../inspection/results.ts";
import { chooseAgent } from "../replay/choose-agent.ts";
import { askedModel, standInModel } from "../replay/stand-in-model.ts";
import { changesIn, playOptions } from "../play/play-options.ts";
import type { ActionHandler, SessionCall } from "../server/handlers.ts";

/** How long a stop waits for the run's process to confirm it. */
const MAX_STOP_MS = 10_000;

/**
 * Answers calls: `approvals` (`true`, `false`, `{ deny }` or `{ args }`) and `outcomes` by token; `by` names the person. The run resumes once every
 * question has an answer, if the inspector has its agent.
 */
export const answerAction: ActionHandler = async (call, body) => {
  const { approvals, outcomes, by } = fieldsOf(body);
  for (const [name, value] of Object.entries({ approvals, outcomes }))
    if (value !== undefined && fieldsOf(value) !== value) throw invalid(`${name} must be an object by token.`);
  const { session, agent, options } = await openSession(call, body);
  // Core checks each answer against its question.
  await session.answer({ approvals, outcomes, by: textOf(by) } as Answers);
  const { pending, lastRun } = await session.state();
  if (lastRun === "running") return report("Recorded. The run continues with it.");
  if (pending.length > 0) return report(`Recorded. ${waiting(pending)}`);
  if (agent === undefined)
    return report("Recorded. The run continues when its program resumes it: the inspector has no agent (see --agent).");
  return await start(call, session, session.resumeStream(options), "Recorded; the run continues.");
};

/** Resumes a run that was cut off, failed, was stopped or reached a limit. */
export const resumeAction: ActionHandler = async (call, body) => {
  const { session, options } = await openWithAgent(call, body, "resume");
  const { pending } = await session.state();
  if (pending.length > 0) throw new HttpError(409, "waiting", `${waiting(pending)} Answer first.`);
  return await start(call, session, session.resumeStream(options), "The run continues.");
};

/** Sends a message: `message`, and `whileRunning` for a session with an active run. */
export const sendAction: ActionHandler = async (call, body) => {
  const { whileRunning } = fieldsOf(body);
  if (whileRunning !== undefined && whileRunning !== "refuse" && whileRunning !== "steer" && whileRunning !== "replace")
    throw invalid('whileRunning must be "refuse", "steer" or "replace".');
  const message = messageIn(body);
  const { session, options } = await openWithAgent(call, body, "send");
  return await start(call, session, session.stream(message, { ...options, whileRunning }), "Sent.");
};

/** Sends a message to the active run, or else to the next one. Needs no agent. */
export const steerAction: ActionHandler = async (call, body) => {
  const { session } = await openSession(call, body);
  const reader = await session.steer(messageIn(body));
  return report(reader === "run" ? "The run's next request has it." : "No run is active: the next one has it.");
};

/** Stops the active run, in any process. Needs no agent. */
export const stopAction: ActionHandler = async (call, body) => {
  const { session } = await openSession(call, body);
  const signal = AbortSignal.any([call.request.signal, AbortSignal.timeout(MAX_STOP_MS)]);
  try {
    return report((await session.stop({ signal })) ? "Stopped." : "No run is active.");
  } catch (error) {
    if (!signal.aborted) throw error;
    return report("The run was asked to stop, and has not ended yet.");
  }
};

interface OpenedSession {
  readonly session: Session;
  /** Absent: the session can record messages and answers, but start no run. */
  readonly agent?: Agent | undefined;
  /** The playground's changes to its last run, and the stand-in for the service. */
  readonly options: RunOptions;
}

async function openSession(call: SessionCall, body: Json): Promise<OpenedSession> {
  const { id, store, agents } = call;
  const [fold, exchanges] = [await call.fold(), await call.exchanges()];
  const run = fold.runs.at(-1);
  const named = chooseAgent(agents, { run, exchanges }, textOf(fieldsOf(body)["agent"]));
  if (named !== undefined) {
    const { agent } = named;
    const { changes } = fieldsOf(run?.entry["metadata"]);
    const around = { rehearsal: call.rehearsal, context: call.contexts.get(id) };
    return { session: agent.session({ id, store }), agent, options: playOptions(agent, changesIn(changes), around) };
  }
  const asked = run === undefined ? UNKNOWN_MODEL : askedModel(run);
  const model = standInModel(asked, async () => {
    throw new TypeError("the inspector has no agent");
  });
  return { session: new Agent({ model }).session({ id, store }), options: {} };
}

const UNKNOWN_MODEL = { id: "gemini-flash-latest", origin: { endpoint: "", family: "" } };

async function openWithAgent(call: SessionCall, body: Json, what: string): Promise<OpenedSession> {
  const opened = await openSession(call, body);
  if (opened.agent !== undefined) return opened;
  const names = Object.keys(call.agents);
  throw new HttpError(
    409,
    "no_agent",
    names.length === 0
      ? `To ${what}, the inspector needs the agent: start it with --agent FILE.ts, or pass agents to inspectorHandler.`
      : `Name the agent to ${what}: ${names.join(", ")}.`,
  );
}

/** Starts a run and doesn't wait for its end: clients that watch the session see its progress. */
export async function start(
  { going }: SessionCall,
  session: Session,
  stream: RunStream<unknown>,
  done: string,
): Promise<ActionResult> {
  const events = stream[Symbol.asyncIterator]();
  const first = events.next();
  going.add(session);
  const over = (): void => void going.delete(session);
  void stream.result().then(over, over);
  for (let next = await first; next.done !== true; next = await events.next()) {
    if (next.value.type !== "run-start") continue;
    // From here on, a failure is in the log.
    readOn(events).catch(() => {});
    return report(done, next.value.runId);
  }
  return report(done);
}

async function readOn(events: AsyncIterator<unknown>): Promise<void> {
  while ((await events.next()).done !== true);
}

function report(done: string, runId?: string): ActionResult {
  return { done, ...(runId !== undefined && { runId }) };
}

export function messageIn(body: Json): RunInput {
  const message = textOf(fieldsOf(body)["message"]);
  if (message === undefined || message.trim() === "") throw invalid("message must be a text.");
  return message;
}

function waiting(pending: readonly PendingCall[]): string {
  const calls = pending.map(({ callId, call }) => `${callId} (${call.name})`).join(", ");
  return `These calls wait for an answer: ${calls}.`;
}

function invalid(message: string): HttpError {
  return new HttpError(400, "invalid", message);
}
