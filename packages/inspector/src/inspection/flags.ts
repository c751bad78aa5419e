/** What a person calls a flag, its tone, and what it means: `bad` is a failure, `odd` costs time or money, `note` is neither. */
export type FlagView = readonly [title: string, tone: "bad" | "odd" | "note", means: string];

/** In the order in which a person cares. */
const FLAGS = {
  error: ["error", "bad", "The turn ended in an error."],
  "call-failed": ["call failed", "bad", "A tool returned an error to the model."],
  unfinished: ["unfinished", "bad", "Something of the turn has begun and has no outcome."],
  "no-answer": ["cut off", "bad", "The turn began, and the run ended without an answer."],
  "same-calls": ["same calls", "odd", "Two calls of one answer are the same."],
  "call-again": ["call again", "odd", "A call that failed in the turn before was made again with the same arguments."],
  "repeated-calls": ["repeated calls", "odd", "The same calls as in the turn before."],
  "prefix-break": [
    "prefix broke",
    "odd",
    "The request differs from the one before it in more than what was added, so the cache did not apply.",
  ],
  "lost-citation": [
    "lost citation",
    "odd",
    "A range that the service said a source supports can't be shown as a citation.",
  ],
  retry: ["retry", "odd", "A request failed and was sent again."],
  heal: ["healed", "odd", "A refused request was changed and sent again."],
  recovery: ["recovery", "odd", "An answer broke off, was unusable or could not be read, and was asked for again."],
  guardrail: ["guardrail", "odd", "A guardrail replaced a text or stopped the run."],
  untrusted: ["untrusted", "odd", "It brought the first thing into the history that anybody may have written."],
  held: ["held", "odd", "A call was asked about, or denied, because of untrusted content in the history."],
  approval: ["approval", "note", "A call needed approval."],
  outcome: ["outcome", "note", "A call waits for its output, or for whether it took effect."],
  compaction: ["compaction", "note", "Old messages were replaced by a summary."],
  handoff: ["handoff", "note", "Another agent takes over with the next turn."],
  steering: ["steering", "note", "Messages came in while the run was going."],
  nested: ["inner agent", "note", "A call ran another agent, or a delegated request."],
  search: ["search", "note", "The service searched."],
} as const;

/** Something in a turn that a person looks for. */
export type TurnFlag = keyof typeof FLAGS;

const ORDER = Object.keys(FLAGS);

/** The most important first. */
export function sortFlags(flags: readonly TurnFlag[]): readonly TurnFlag[] {
  return flags.toSorted((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b));
}

/** The view of a flag, also of one that this page does not know. */
export function flagView(flag: string): FlagView {
  return FLAGS[flag as TurnFlag] ?? [flag, "note", flag];
}
