import type { Question } from "@pollux/core/durable";

/** The queue on which runs are started from elsewhere, and taken up again after their executor died. */
export const QUEUE = "pollux";
/** The class under which agents are registered as workflows; their name is the agent's. */
export const WORKFLOW_CLASS = "pollux";
/** Topic of what is said to a run while it is going. */
export const STEER_TOPIC = "pollux:steer";
/** DBOS event that tells what a run waits for: a {@link WaitingFor}. */
export const STATE_EVENT = "pollux:state";
/** DBOS stream of a run's live events. */
export const EVENT_STREAM = "pollux:events";
/** Milliseconds in which the worker of a cancelled run writes down what it had done, unless it has died. */
export const LAST_WORDS_MS = 15_000;
/** A wait without a limit, in seconds: about thirty years. */
export const LONGEST_WAIT_S = 1e9;

/** What a run waits for. */
export interface WaitingFor {
  readonly questions: readonly Question[];
  /** Nothing else goes on. */
  readonly only: boolean;
}

/** An answer as it is sent: DBOS gives `null` for no answer, so the answer itself is wrapped. */
export interface SentAnswer<Value> {
  readonly value: Value;
}
