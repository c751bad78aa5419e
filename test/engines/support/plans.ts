/** One call of the scripted model. */
export interface PlannedCall {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** The last answer of every run. */
export const DONE = "All of it is done.";

const GO = "Carry out";

/** The message that starts a run. It names the run and its plan, so that the model and the outside world can distinguish runs. */
export function messageOf(run: string, plan: string): string {
  return `${GO} ${plan} for ${run}.`;
}

/** Parses a message of {@link messageOf}. */
export function readMessage(text: string): { readonly run: string; readonly plan: PlanName } | undefined {
  const [, plan, run] = /^Carry out (\w+) for (\S+)\.$/.exec(text) ?? [];
  return plan === undefined || run === undefined || !isPlan(plan) ? undefined : { run, plan };
}

type Plan = (run: string) => readonly (readonly PlannedCall[])[];

/** Calls of each turn, by plan; after the last turn the model says {@link DONE}. */
const PLANS = {
  /** Two parallel calls, then one more. */
  two: (run: string) => [[item(run, 1), item(run, 2)], [item(run, 3)]],
  /** Eight parallel calls. */
  eight: (run: string) => [[1, 2, 3, 4, 5, 6, 7, 8].map((one) => item(run, one))],
  /** Two that a person must approve, one of them to an undeclared tool; beside them, one without approval, and a skill. */
  sign: (run: string) => [
    [
      item(run, 1),
      item(run, 2, "sign"),
      through(item(run, 4, "seal")),
      { name: "use_skill", args: { name: "expense-policy" } },
    ],
    [item(run, 3)],
  ],
  /** One with an approval deadline. */
  sign_soon: (run: string) => [[item(run, 1, "sign_soon")]],
  /** Two that must not happen twice, one of them to an undeclared tool. */
  pay: (run: string) => [[item(run, 1, "pay"), through(item(run, 2, "refund"))], [item(run, 3)]],
  /** A job beside a call without approval. */
  job: (run: string) => [[item(run, 1, "job"), item(run, 2)], [item(run, 3)]],
  /** One whose result is too large to store. */
  dump: (run: string) => [[item(run, 1, "dump")], [item(run, 2)]],
  /** Two parallel runs of another agent. */
  helpers: (run: string) => [
    [
      { name: "helper", args: { task: messageOf(`${run}.h1`, "one") } },
      { name: "helper", args: { task: messageOf(`${run}.h2`, "one") } },
    ],
  ],
  one: (run: string) => [[item(run, 1)]],
  /** Its answer is too large to store. */
  long_answer: () => [],
} as const satisfies Readonly<Record<string, Plan>>;

export type PlanName = keyof typeof PLANS;

function isPlan(name: string): name is PlanName {
  return Object.hasOwn(PLANS, name);
}

/** The calls of a plan, turn by turn. */
export function callsOf(plan: PlanName, run: string): readonly (readonly PlannedCall[])[] {
  return PLANS[plan](run);
}

function item(run: string, number: number, name = "do_item"): PlannedCall {
  return { name, args: { run, item: number } };
}

/** A call of a model that has found the tool. */
function through({ name, args }: PlannedCall): PlannedCall {
  return { name: "call_tool", args: { name, input: args } };
}

/** The item that a call executes; undefined for a call with an inner run, and for a skill. */
export function itemIn({ name, args }: PlannedCall): number | undefined {
  // The format of `through`.
  const { item: number } = name === "call_tool" ? (args["input"] as PlannedCall["args"]) : args;
  return typeof number === "number" ? number : undefined;
}
