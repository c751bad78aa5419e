import type { Endpoint, Model, PriceTable } from "@pollux/core";

/** A model that talks to the agent under test until the goal is reached or given up; made by {@link simulatedUser}. */
export interface SimulatedUser {
  readonly kind: "simulated-user";
  /** Plays the user; preferably not the agent's model, which agrees with itself. */
  readonly model: string | Model;
  /** For a model that is given by its id. @defaultValue the environment's */
  readonly endpoint?: Endpoint | undefined;
  /** For the user's cost, which is counted apart from the agent's. @defaultValue none: the cost is not known */
  readonly prices?: PriceTable | undefined;
  /** What the user wants, and all that the user knows, such as "Refund of order 17, bought on 3 May, for being late". */
  readonly goal: string;
  /** How the user is and writes, such as "curt, in a hurry, makes typing errors". @defaultValue an ordinary person with little time */
  readonly character?: string | undefined;
  /** The user says no more than this. @defaultValue 10 */
  readonly maxMessages: number;
}

/** Options of {@link simulatedUser}: all but the goal and the model may be left out. */
export type SimulatedUserOptions = Omit<SimulatedUser, "kind" | "maxMessages"> &
  Partial<Pick<SimulatedUser, "maxMessages">>;

/**
 * A model that plays a user, as the `input` of a case. It has a goal and a character, tells what it knows only when asked, and does not help
 * the agent.
 *
 * @throws {TypeError} Without a goal, or for a `maxMessages` that is not a whole number from 1.
 * @see https://arxiv.org/abs/2603.11245 for how simulated users are kinder than people.
 */
export function simulatedUser(options: SimulatedUserOptions): SimulatedUser {
  const { goal, maxMessages = 10 } = options;
  if (typeof goal !== "string" || goal.trim() === "")
    throw new TypeError("simulatedUser(): say in `goal` what the user wants");
  if (!Number.isInteger(maxMessages) || maxMessages < 1)
    throw new TypeError(`simulatedUser(): maxMessages must be a whole number from 1 on, got ${maxMessages}`);
  return { kind: "simulated-user", ...options, maxMessages };
}
