import { type Change, DEV, type Question, question, refusalOf, strict, taken } from "../question.ts";
import { type LiveRequest, pick } from "../service.ts";

const REFUND = { type: "noul", instructions: "Is money asked back?" };
const team = (criteria: object): object => ({ team: { type: "choice", instructions: "Who handles it?", criteria } });
const TEAM = team({ support: "the rest", billing: "charges" });
const anger = (...criteria: readonly string[]): object => ({
  anger: { type: "score", instructions: "How angry?", criteria },
});
const ANGER = anger("calm", "annoyed", "furious");
const many = (count: number): object =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`q${index}`, REFUND]));
const options = (count: number): object =>
  team(Object.fromEntries(Array.from({ length: count }, (_, index) => [`o${index}`, "x"])));

const decide = (questions: object, more: object = {}): LiveRequest => ({
  path: "v1beta/decisions",
  body: { model: "gemini-decision-1", input: "Charged twice. Refund one.", questions, ...more },
});

/** Requests whose acceptance or refusal is documented but was never observed. */
const TAKEN: Readonly<Record<string, readonly [request: LiveRequest, change?: Change]>> = {
  "the model's full name": [decide({ refund: REFUND }, { model: "models/gemini-decision-1" })],
  "a list of contents": [decide({ refund: REFUND }, { input: [{ type: "text", text: "Refund me." }] })],
  "descriptions of yes and no": [
    decide({ refund: { ...REFUND, criteria: { true_description: "asks for a refund" } } }),
  ],
  "an option without a description": [
    decide(team({ billing: null, support: "the rest" })),
    strict({ decisionNullDescriptions: false }),
  ],
  "the address of v1": [{ ...decide({ refund: REFUND }), path: "v1/decisions" }, strict({ decisionsInV1: true })],
  "1,001 questions": [decide(many(1_001))],
  "one option": [decide(options(1))],
  "256 options": [decide(options(256))],
  "an empty level": [decide(anger("calm", ""))],
  "an id of 65 characters": [decide({ ["q".repeat(65)]: REFUND })],
  "a question without instructions": [decide({ refund: { type: "noul" } })],
  "a question of an unknown type": [decide({ refund: { ...REFUND, type: "boolean" } })],
  "an unknown model": [decide({ refund: REFUND }, { model: "gemini-decision-9" })],
};

/** Requests and answers of the decisions endpoint, which no recording has. */
export const DECISION_QUESTIONS: readonly Question[] = [
  ...Object.entries(TAKEN).map(([what, [request, change]]) =>
    taken(
      `decision-${what.toLowerCase().replaceAll(/\W+/g, "-")}`,
      `Does a decision take ${what}?`,
      ["D-1", ...Object.keys(switchesOf(change))],
      request,
      {
        ...DEV,
        ...(change !== undefined && { changes: { [what === "the address of v1" ? "taken" : "refused"]: change } }),
      },
    ),
  ),
  question(
    "decision-errors",
    "Are the codes of a decision's errors numbers or words?",
    ["D-1", "decisionErrors"],
    async (ask) => {
      const code = pick((await ask(decide({}))).json, "error", "code");
      return { is: typeof code === "string" ? "words" : typeof code === "number" ? "numbers" : "none" };
    },
    { ...DEV, changes: { words: strict({ decisionErrors: "words" }) } },
  ),
  question(
    "decision-answers",
    "Which members have the answers of a decision?",
    ["answers of decisions"],
    async (ask) => {
      const answer = await ask(decide({ refund: REFUND, ...TEAM, ...ANGER }));
      if (answer.status >= 300) return refusalOf(answer);
      const members = (value: unknown): string => Object.keys(value ?? {}).join(" ");
      const names = ["refund", "team", "anger"].map((name) => members(pick(answer.json, "answers", name)));
      return { is: [members(answer.json), ...names, members(pick(answer.json, "usage"))].join(" / ") };
    },
    { ...DEV, file: "decisions/answer-decisions.ts" },
  ),
  question(
    "decision-range",
    "Does a probability stay within 0.01 and 0.99?",
    ["range of noul"],
    async (ask) => {
      // Very certain, or the bounds would not show.
      const said = { type: "noul", instructions: "Does it say “Charged twice. Refund one.”?" };
      const noul = pick((await ask(decide({ said }))).json, "answers", "said", "noul");
      return { is: typeof noul !== "number" ? "no number" : noul >= 0.01 && noul <= 0.99 ? "within" : "beyond" };
    },
    { ...DEV, file: "decisions/answer-decisions.ts" },
  ),
  question(
    "decision-order",
    "Are the options of an answer sorted by id?",
    ["order of probabilities"],
    async (ask) => {
      const ids = Object.keys(pick((await ask(decide(TEAM))).json, "answers", "team", "probabilities") ?? {});
      return { is: ids.join(" ") };
    },
    { ...DEV, file: "decisions/answer-decisions.ts" },
  ),
];

function switchesOf(change: Change | undefined): object {
  return change !== undefined && "options" in change ? (change.options.strict ?? {}) : {};
}
