import type { Question } from "@pollux/engine";

/** Queue for runs started elsewhere, and for runs whose executor died. */
export const QUEUE = "pollux";
/** Class under which agents are registered as workflows; the workflow has the agent's name. */
export const WORKFLOW_CLASS = "pollux";
/** Topic of messages to a run in progress. */
export const STEER_TOPIC = "pollux:steer";
/** DBOS event with what a run is waiting for: a {@link WaitingFor}. */
export const STATE_EVENT = "pollux:state";
/** DBOS event that is true once a run takes no more messages. */
export const STEERING_OVER_EVENT = "pollux:steering-over";
/** DBOS stream of a run's live events. */
export const EVENT_STREAM = "pollux:events";
/** Milliseconds within which the worker of a cancelled run stores its report, unless it has died. */
export const LAST_WORDS_MS = 15_000;
/** A wait without a limit, in seconds: about thirty years. */
export const LONGEST_WAIT_S = 1e9;

/** What a run is waiting for. */
export interface WaitingFor {
  readonly questions: readonly Question[];
  /** Nothing else is in progress. */
  readonly only: boolean;
}

/** An answer, as sent: DBOS returns `null` for no answer, so the answer is wrapped. */
export interface SentAnswer<Value> {
  readonly value: Value;
  /** Tells which of two answers to one question was first. */
  readonly id: string;
}
