/** The title, tone and meaning of a flag: `bad` is a failure, `odd` costs time or money, `note` is neither. */
export type FlagView = readonly [title: string, tone: "bad" | "odd" | "note", means: string];

/** Most important first. */
const FLAGS = {
  error: ["error", "bad", "The turn ended in an error."],
  "call-failed": ["call failed", "bad", "A tool returned an error to the model."],
  unfinished: ["unfinished", "bad", "A step of the turn began and has no outcome."],
  "no-answer": ["cut off", "bad", "The turn began, and the run ended without an answer."],
  truncated: ["truncated", "odd", "The answer hit the output token limit."],
  "same-calls": ["same calls", "odd", "One answer has the same call twice."],
  "call-again": ["call again", "odd", "A call that failed in the previous turn was repeated with the same arguments."],
  "repeated-calls": ["repeated calls", "odd", "The calls are the same as in the previous turn."],
  "prefix-break": [
    "prefix broke",
    "odd",
    "The request changed something that the previous one had sent, so the cache did not apply.",
  ],
  "lost-citation": ["lost citation", "odd", "The service sent a citation that can't be matched to the answer."],
  retry: ["retry", "odd", "A request failed and was retried."],
  heal: ["healed", "odd", "A refused request was changed and sent again."],
  recovery: ["recovery", "odd", "An answer broke off, was unusable or could not be read, and was requested again."],
  guardrail: ["guardrail", "odd", "A guardrail replaced a text or stopped the run."],
  untrusted: ["untrusted", "odd", "It brought the history's first content that anybody may have written."],
  held: ["held", "odd", "A call needed approval, or was denied, because of untrusted content in the history."],
  approval: ["approval", "note", "A call needed approval."],
  outcome: ["outcome", "note", "A call waits for its output, or for somebody to say whether it took effect."],
  compaction: ["compaction", "note", "A summary replaced old messages."],
  handoff: ["handoff", "note", "Another agent takes over with the next turn."],
  steering: ["steering", "note", "Messages arrived while the run was active."],
  nested: ["inner agent", "note", "A call ran another agent, or a delegated request."],
  search: ["search", "note", "The service searched."],
} as const;

/** Something in a turn that a reader looks for. */
export type TurnFlag = keyof typeof FLAGS;

const ORDER = Object.keys(FLAGS);

/** The most important first. */
export function sortFlags(flags: readonly TurnFlag[]): readonly TurnFlag[] {
  return flags.toSorted((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b));
}

/** The view of a flag, even one that this page does not know. */
export function flagView(flag: string): FlagView {
  return FLAGS[flag as TurnFlag] ?? [flag, "note", flag];
}
