/** The source of a rule of the Interactions API: recorded, documented, seen by others, or a guess. */
export type InteractionCertainty = "recorded" | "documented" | "seen" | "guess";

/**
 * Why requests to the Interactions API are refused, or how they are answered. Guesses are marked, and `pnpm live` asks the service
 * about each.
 */
export const INTERACTION_RULES: Readonly<Record<string, readonly [InteractionCertainty, string]>> = {
  "I-01": ["seen", "unknown parameter"],
  "I-02": ["seen", "no input, or an empty one"],
  "I-04": ["recorded", "text content without a text"],
  "I-05": ["documented", "unknown type of a tool"],
  "I-06": ["seen", "unknown type of a step, or contents among steps"],
  "I-07": ["seen", "unknown word"],
  "I-08": ["seen", "turns instead of steps"],
  "I-09": ["seen", "value of another type"],
  "I-10": ["seen", "previous_interaction_id without store"],
  "I-11": ["recorded", "malformed id"],
  "I-12": ["seen", "an agent as model, or both, or neither"],
  "I-13": ["recorded", "model without background interactions"],
  "I-14": ["seen", "agent without background"],
  "I-15": ["seen", "unknown agent"],
  "I-16": ["seen", "unknown model"],
  "I-17": ["seen", "tool_choice without functions"],
  "I-18": ["seen", "built-in tools beside functions"],
  "I-19": ["documented", "background without store"],
  "I-20": ["seen", "webhook_config without background"],
  "I-21": ["seen", "tools that cannot be combined"],
  "I-22": ["seen", "only on the Agent Platform"],
  "I-24": ["seen", "response_mime_type"],
  "I-25": ["documented", "settings of models for agents, or of agents for models"],
  "I-27": ["seen", "corrupted thought signature"],
  "I-28": ["seen", "function call without a thought before it"],
  "I-29": ["seen", "function result without name"],
  "I-30": ["guess", "unanswered calls"],
  "I-31": ["guess", "results without a call"],
  "I-33": ["guess", "predecessor unknown, deleted or not stored: 404"],
  "I-34": ["documented", "predecessor still running"],
  "I-35": ["documented", "last_event_id without stream"],
  "I-36": ["guess", "cancelling an ended interaction: 400 failed_precondition"],
  "I-37": ["documented", "unknown interaction: 404"],
  "I-38": ["guess", "unknown last_event_id: 400"],
  "I-39": ["guess", "a plan that waits for approval: requires_action"],
  "I-40": ["guess", "claims of a webhook's JWT: the event, iss, aud, iat and exp"],
  "I-41": ["guess", "a stream without last_event_id begins at the start"],
  "I-42": ["guess", "an answer to a plan: another plan with collaborative_planning, and the research without"],
};

/** A refusal in the shape of this API: the code is a word. */
export class InteractionRefusal extends Error {
  readonly rule: string;
  readonly status: number;
  readonly word: string;

  constructor(rule: string, message: string, word = "invalid_request", status = 400) {
    super(message);
    this.rule = rule;
    this.word = word;
    this.status = status;
  }
}

/** Refuses a request. @throws {InteractionRefusal} */
export function refuseInteraction(rule: string, message: string): never {
  throw new InteractionRefusal(rule, message);
}
