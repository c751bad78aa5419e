import type {
  ContinueOptions,
  PendingCall,
  RegenerateOptions,
  ResumeOptions,
  RunEvent,
  RunInput,
  RunOptions,
  RunResult,
  RunStream,
  SendOptions,
  Session,
} from "@pollux/core";
import { assertGrammar, collect } from "@pollux/core/testing";

/** A way to read a session: by its results, or by its events. Both give the same. */
export interface SessionFace {
  send(session: Session, message: RunInput, options?: RunOptions & SendOptions): Promise<RunResult<unknown>>;
  resume(session: Session, options?: RunOptions & ResumeOptions): Promise<RunResult<unknown>>;
  continue(session: Session, options?: RunOptions & ContinueOptions): Promise<RunResult<unknown>>;
  regenerate(session: Session, options?: RunOptions & RegenerateOptions): Promise<RunResult<unknown>>;
}

/** Both ways; each test of a session uses both. */
export const SESSION_FACES: readonly [string, SessionFace][] = [
  [
    "send",
    {
      send: (session, message, options) => session.send(message, options),
      resume: (session, options) => session.resume(options),
      continue: (session, options) => session.continue(options),
      regenerate: (session, options) => session.regenerate(options),
    },
  ],
  [
    "stream",
    {
      send: (session, message, options) => read(session.stream(message, options)),
      resume: (session, options) => read(session.resumeStream(options)),
      continue: (session, options) => read(session.continueStream(options)),
      regenerate: (session, options) => read(session.regenerateStream(options)),
    },
  ],
];

async function read(run: RunStream<unknown>): Promise<RunResult<unknown>> {
  const { events, result } = await collect(run);
  assertGrammar(events);
  return result;
}

/** The pending calls of a run, in a few words. */
export function waits(result: RunResult<unknown>): string[] {
  return "pending" in result ? result.pending.map((one: PendingCall) => `${one.callId} ${one.question}`) : [];
}

/** The types of the events, with the ids of their calls. */
export function kinds(events: readonly RunEvent[]): string[] {
  return events.map((event) => ("callId" in event ? `${event.type} ${event.callId}` : event.type));
}
