/** How a flag is shown: `bad` is a failure, `odd` costs time or money, `note` is neither. */
export interface FlagView {
  readonly title: string;
  readonly means: string;
  readonly tone: "bad" | "odd" | "note";
}

/** In the order in which a person cares. */
const FLAGS = {
  error: { title: "error", means: "The turn ended in an error.", tone: "bad" },
  "call-failed": { title: "call failed", means: "A tool returned an error to the model.", tone: "bad" },
  unfinished: { title: "unfinished", means: "Something of the turn has begun and has no outcome.", tone: "bad" },
  "no-answer": { title: "cut off", means: "The turn began, and the run ended without an answer.", tone: "bad" },
  "same-calls": { title: "same calls", means: "Two calls of one answer are the same.", tone: "odd" },
  "call-again": {
    title: "call again",
    means: "A call that failed in the turn before was made again with the same arguments.",
    tone: "odd",
  },
  "repeated-calls": { title: "repeated calls", means: "The same calls as in the turn before.", tone: "odd" },
  "prefix-break": {
    title: "prefix broke",
    means: "The request differs from the one before it in more than what was added, so the cache did not apply.",
    tone: "odd",
  },
  "lost-citation": {
    title: "lost citation",
    means: "A range that the service said a source supports can't be shown as a citation.",
    tone: "odd",
  },
  retry: { title: "retry", means: "A request failed and was sent again.", tone: "odd" },
  heal: { title: "healed", means: "A refused request was changed and sent again.", tone: "odd" },
  recovery: {
    title: "recovery",
    means: "An answer broke off, was unusable or could not be read, and was asked for again.",
    tone: "odd",
  },
  guardrail: { title: "guardrail", means: "A guardrail replaced a text or stopped the run.", tone: "odd" },
  untrusted: {
    title: "untrusted",
    means: "It brought the first thing into the history that anybody may have written.",
    tone: "odd",
  },
  held: {
    title: "held",
    means: "A call was asked about, or denied, because of untrusted content in the history.",
    tone: "odd",
  },
  approval: { title: "approval", means: "A call needed approval.", tone: "note" },
  outcome: { title: "outcome", means: "A call waits for its output, or for whether it took effect.", tone: "note" },
  compaction: { title: "compaction", means: "Old messages were replaced by a summary.", tone: "note" },
  handoff: { title: "handoff", means: "Another agent takes over with the next turn.", tone: "note" },
  steering: { title: "steering", means: "Messages came in while the run was going.", tone: "note" },
  nested: { title: "inner agent", means: "A call ran another agent, or a delegated request.", tone: "note" },
  search: { title: "search", means: "The service searched.", tone: "note" },
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
  return FLAGS[flag as TurnFlag] ?? { title: flag, means: flag, tone: "note" };
}
