import type { JsonObject, Limits } from "@pollux/core";
import { calls, fails, hangs, say, type ScriptLine } from "@pollux/core/testing";

/** The facts of a run that every reader of the session must see. */
export interface Done {
  /** Turns with a stored answer. */
  readonly turns: number;
  /** Executed calls, in order, each with the response that the model reads. */
  readonly calls: readonly string[];
  /** Other texts of the model that no guardrail held back. */
  readonly texts?: readonly string[] | undefined;
  /** Messages to the session after the first one. */
  readonly steering?: readonly string[] | undefined;
}

/** A point where a process dies: the rows of the table. */
export interface Death {
  /** Also the session's id. */
  readonly name: string;
  /** The model's answers from the second or third turn on. */
  readonly script: readonly ScriptLine[];
  /** The second turn is in the script as well. */
  readonly ownSecondTurn?: true | undefined;
  /** Moments that must all happen before the process is killed. */
  readonly until: readonly string[];
  /** Calls and checks that never end in this process. */
  readonly hangs?: readonly string[] | undefined;
  /** A further act on the session: `abort` its run at a moment, or `answer` or `report` a pending call. */
  readonly also?: "abort" | "answer" | "answer and resume" | "report" | "steer" | undefined;
  readonly limits?: Limits | undefined;
  /** The run has typed output, which this model returns in its answer, or in a separate request. */
  readonly output?: "native" | "converted" | undefined;
  /** The agent has a guardrail against secrets. */
  readonly guarded?: true | undefined;
  /** Its state for lists and readers after the crash: `cut-off` for a run without an end. */
  readonly lastRun: string;
  /** The text of the model when it was cut off. */
  readonly draft?: string | undefined;
  readonly done: Done;
  /** How the run ends if the same code resumes it. @defaultValue "finished" */
  readonly resumed?: string | undefined;
  /** The run has an unused answer: a message continues it and does not close it. */
  readonly goesOn?: true | undefined;
}

const LOOK_4 = { name: "look", args: { n: 4 } };
const WAIT_5 = { name: "wait", args: { n: 5 } };
const BOOK_5 = { name: "book", args: { n: 5 } };
const RESEARCH_5 = { name: "research", args: { n: 5 } };

/** A job with an unknown start, and a pending job. */
export const STARTING = "research 5: unknown";
export const WAITING = "research 5: left";

const TWO_TURNS = ["look 1: seen 1", "pay 2: paid 2", "look 3: seen 3"];

/** The model gets a request and never answers. */
const SILENT: ScriptLine = hangs();

/** Two whole turns, then each point of the third. */
export const DEATHS: readonly Death[] = [
  {
    name: "when the third answer was asked for",
    script: [SILENT],
    until: ["asked 3"],
    lastRun: "cut-off",
    done: { turns: 2, calls: TWO_TURNS },
  },
  {
    name: "in the third answer",
    script: [hangs("Both are")],
    until: ["draft"],
    lastRun: "cut-off",
    draft: "Both are",
    done: { turns: 2, calls: TWO_TURNS },
  },
  {
    name: "after the third answer",
    script: [calls(LOOK_4, WAIT_5)],
    hangs: ["hook"],
    until: ["hook began"],
    lastRun: "cut-off",
    done: { turns: 3, calls: [...TWO_TURNS, "look 4: cancelled", "wait 5: cancelled"] },
  },
  {
    name: "between two calls, in one that may run again",
    script: [calls(LOOK_4, WAIT_5)],
    hangs: ["wait 5"],
    until: ["look 4 ended", "wait 5 began"],
    lastRun: "cut-off",
    done: { turns: 3, calls: [...TWO_TURNS, "look 4: seen 4", "wait 5: cancelled"] },
  },
  {
    name: "in a call that may happen once",
    script: [calls(LOOK_4, { name: "pay", args: { n: 5 } })],
    hangs: ["pay 5"],
    until: ["look 4 ended", "pay 5 began"],
    lastRun: "cut-off",
    resumed: "needs-outcome",
    done: { turns: 3, calls: [...TWO_TURNS, "look 4: seen 4", "pay 5: unknown"] },
  },
  {
    name: "after all calls",
    script: [calls(LOOK_4, WAIT_5)],
    hangs: ["turn 4"],
    until: ["turn 4 began"],
    lastRun: "cut-off",
    done: { turns: 3, calls: [...TWO_TURNS, "look 4: seen 4", "wait 5: waited 5"] },
  },
  {
    name: "when the fourth answer was asked for",
    script: [calls(LOOK_4), SILENT],
    until: ["asked 4"],
    lastRun: "cut-off",
    done: { turns: 3, calls: [...TWO_TURNS, "look 4: seen 4"] },
  },
  {
    name: "in an output phase",
    output: "converted",
    script: [say("It is booked."), SILENT],
    until: ["asked 4"],
    lastRun: "cut-off",
    done: { turns: 3, calls: TWO_TURNS, texts: ["It is booked."] },
  },
  {
    name: "when a typed answer was asked for again",
    output: "native",
    script: [say("not JSON"), SILENT],
    until: ["asked 4"],
    lastRun: "cut-off",
    done: { turns: 3, calls: TWO_TURNS, texts: ["not JSON"] },
  },
  {
    name: "while an approval waits",
    script: [calls(LOOK_4, BOOK_5)],
    until: ["over"],
    lastRun: "needs-approval",
    resumed: "needs-approval",
    done: { turns: 3, calls: [...TWO_TURNS, "look 4: seen 4", "book 5: not run"] },
  },
  {
    name: "in a call, while an approval waits",
    script: [calls(BOOK_5, WAIT_5)],
    hangs: ["wait 5"],
    until: ["wait 5 began", "asks"],
    lastRun: "cut-off",
    resumed: "needs-approval",
    done: { turns: 3, calls: [...TWO_TURNS, "book 5: not run", "wait 5: cancelled"] },
  },
  {
    name: "when an answer from outside was about to be read",
    ownSecondTurn: true,
    also: "answer and resume",
    script: [calls({ name: "ask", args: { n: 2 } }), SILENT],
    until: ["asked 3"],
    lastRun: "cut-off",
    goesOn: true,
    done: { turns: 2, calls: ["look 1: seen 1", "ask 2: told"] },
  },
  {
    name: "after an answer from outside was used",
    ownSecondTurn: true,
    also: "answer and resume",
    script: [calls({ name: "ask", args: { n: 2 } }), calls(LOOK_4), SILENT],
    until: ["asked 4"],
    lastRun: "cut-off",
    done: { turns: 3, calls: ["look 1: seen 1", "ask 2: told", "look 4: seen 4"] },
  },
  {
    name: "with an unused answer from outside",
    also: "answer",
    script: [calls({ name: "ask", args: { n: 4 } })],
    until: ["answered"],
    lastRun: "needs-outcome",
    goesOn: true,
    done: { turns: 3, calls: [...TWO_TURNS, "ask 4: told"] },
  },
  {
    name: "in the start of a job",
    script: [calls(LOOK_4, RESEARCH_5)],
    hangs: ["research 5"],
    until: ["look 4 ended", "research 5 began"],
    lastRun: "cut-off",
    resumed: "needs-outcome",
    done: { turns: 3, calls: [...TWO_TURNS, "look 4: seen 4", STARTING] },
  },
  {
    name: "while a job is waited for",
    script: [calls(LOOK_4, RESEARCH_5)],
    until: ["over"],
    lastRun: "needs-outcome",
    resumed: "needs-outcome",
    done: { turns: 3, calls: [...TWO_TURNS, "look 4: seen 4", WAITING] },
  },
  {
    name: "with an unused outcome of a job",
    also: "report",
    script: [calls(LOOK_4, RESEARCH_5)],
    until: ["answered"],
    lastRun: "needs-outcome",
    goesOn: true,
    done: { turns: 3, calls: [...TWO_TURNS, "look 4: seen 4", "research 5: researched 5"] },
  },
  {
    name: "after a message that steered it",
    ownSecondTurn: true,
    also: "steer",
    script: [calls({ name: "pay", args: { n: 2 } }, { name: "look", args: { n: 3 } }), SILENT],
    until: ["asked 3"],
    lastRun: "cut-off",
    done: { turns: 2, calls: TWO_TURNS, steering: ["By train."] },
  },
  {
    name: "at a limit",
    script: [calls(LOOK_4)],
    limits: { turns: 3 },
    until: ["over"],
    lastRun: "limit",
    done: { turns: 3, calls: [...TWO_TURNS, "look 4: seen 4"] },
  },
  {
    name: "at an abort",
    script: [calls(LOOK_4, WAIT_5)],
    hangs: ["wait 5"],
    also: "abort",
    until: ["over"],
    lastRun: "aborted",
    done: { turns: 3, calls: [...TWO_TURNS, "look 4: seen 4", "wait 5: cancelled"] },
  },
  {
    name: "at a failure",
    script: [fails(new Error("no answer"))],
    until: ["over"],
    lastRun: "failed",
    done: { turns: 3, calls: TWO_TURNS },
  },
  {
    name: "at a guardrail's stop",
    script: [say("The secret plan.")],
    guarded: true,
    until: ["over"],
    lastRun: "guardrail",
    done: { turns: 3, calls: TWO_TURNS },
  },
  {
    name: "before an answer was checked",
    script: [say("The secret plan.")],
    guarded: true,
    hangs: ["check"],
    until: ["check began"],
    lastRun: "cut-off",
    resumed: "guardrail",
    done: { turns: 3, calls: TWO_TURNS },
  },
  {
    name: "after it had finished",
    script: [say("It is done.")],
    until: ["over"],
    lastRun: "finished",
    done: { turns: 3, calls: TWO_TURNS, texts: ["It is done."] },
  },
];

/** Capabilities of a model that returns typed output in this way while it has functions. */
export function capabilitiesFor({ output }: Death): JsonObject {
  return output === undefined ? {} : { outputWithFunctions: output === "native" };
}
