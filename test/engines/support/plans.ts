/** One call of the scripted model. */
export interface PlannedCall {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** What every run ends with. */
export const DONE = "All of it is done.";

const GO = "Carry out";

/** The message that begins a run: it names the run and its plan, which is how the model and the tools' world tell runs apart. */
export function messageOf(run: string, plan: string): string {
  return `${GO} ${plan} for ${run}.`;
}

/** What a message of {@link messageOf} says. */
export function readMessage(text: string): { readonly run: string; readonly plan: PlanName } | undefined {
  const [, plan, run] = /^Carry out (\w+) for (\S+)\.$/.exec(text) ?? [];
  return plan === undefined || run === undefined || !isPlan(plan) ? undefined : { run, plan };
}

type Plan = (run: string) => readonly (readonly PlannedCall[])[];

/** Calls of each turn, by plan; after the last turn the model says {@link DONE}. */
const PLANS = {
  /** Two calls side by side, then one more. */
  two: (run: string) => [[item(run, 1), item(run, 2)], [item(run, 3)]],
  /** Eight side by side. */
  eight: (run: string) => [[1, 2, 3, 4, 5, 6, 7, 8].map((one) => item(run, one))],
  /** Two that a person has to agree to, one of them a tool that is not declared; beside them one that needs nobody, and a skill. */
  sign: (run: string) => [
    [
      item(run, 1),
      item(run, 2, "sign"),
      through(item(run, 4, "seal")),
      { name: "use_skill", args: { name: "expense-policy" } },
    ],
    [item(run, 3)],
  ],
  /** One that a person has to agree to soon. */
  sign_soon: (run: string) => [[item(run, 1, "sign_soon")]],
  /** Two that must not happen twice, one of them a tool that is not declared. */
  pay: (run: string) => [[item(run, 1, "pay"), through(item(run, 2, "refund"))], [item(run, 3)]],
  /** A job beside a call that needs nobody. */
  job: (run: string) => [[item(run, 1, "job"), item(run, 2)], [item(run, 3)]],
  /** One whose result is larger than what may be kept. */
  dump: (run: string) => [[item(run, 1, "dump")], [item(run, 2)]],
  /** Two runs of another agent, side by side. */
  helpers: (run: string) => [
    [
      { name: "helper", args: { task: messageOf(`${run}.h1`, "one") } },
      { name: "helper", args: { task: messageOf(`${run}.h2`, "one") } },
    ],
  ],
  one: (run: string) => [[item(run, 1)]],
  /** Its answer is larger than what may be kept. */
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

/** A call as a model makes it that has found the tool. */
function through({ name, args }: PlannedCall): PlannedCall {
  return { name: "call_tool", args: { name, input: args } };
}

/** The item that a call carries out; none for a run inside it, and for a skill. */
export function itemIn({ name, args }: PlannedCall): number | undefined {
  // As `through` makes it.
  const { item: number } = name === "call_tool" ? (args["input"] as PlannedCall["args"]) : args;
  return typeof number === "number" ? number : undefined;
}
