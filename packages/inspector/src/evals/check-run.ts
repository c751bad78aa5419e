import { isFields, numberOf } from "../inspection/read-values.ts";

/** What stands at a place of a run: a kind of value, a list (of one shape), or an object; `*` stands for all names, `?` for an absent member. */
type Shape = "text" | "number" | "flag" | "score" | "pair" | readonly [Shape] | { readonly [name: string]: Shape };

/** The first place where a file is no run of evals of this release, in a sentence; undefined for a run. Whatever else it has is let through. */
export function problemOfRun(value: unknown): string | undefined {
  if (isFields(value) && typeof value["v"] === "number" && value["v"] > 1)
    return "it was written by a newer release: update @pollux/inspector";
  return problemIn(value, RUN, "the file");
}

function problemIn(value: unknown, shape: Shape, place: string): string | undefined {
  if (typeof shape === "string") return KINDS[shape](value) ? undefined : `${place} is no ${shape}`;
  if (isList(shape)) {
    if (!Array.isArray(value)) return `${place} is no list`;
    return firstProblem(value.map((item, index) => [item, shape[0], `${place}[${index}]`]));
  }
  if (!isFields(value)) return `${place} is no object`;
  const names = "*" in shape ? Object.keys(value) : Object.keys(shape);
  return firstProblem(
    names.flatMap((name) => {
      const key = name.replace(/\?$/, "");
      const member = shape["*"] ?? shape[name];
      const isLeftOut = member === undefined || (key !== name && value[key] === undefined);
      return isLeftOut ? [] : [[value[key], member, place === "the file" ? key : `${place}.${key}`]];
    }),
  );
}

function firstProblem(members: readonly (readonly [unknown, Shape, string])[]): string | undefined {
  for (const [value, shape, place] of members) {
    const problem = problemIn(value, shape, place);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function isList(shape: Shape): shape is readonly [Shape] {
  return Array.isArray(shape);
}

const KINDS: { readonly [kind in Shape & string]: (value: unknown) => boolean } = {
  text: (value) => typeof value === "string",
  number: (value) => numberOf(value) !== undefined,
  flag: (value) => typeof value === "boolean",
  score: (value) => value === null || numberOf(value) !== undefined,
  pair: (value) => Array.isArray(value) && value.length === 2 && value.every((one) => numberOf(one) !== undefined),
};

const SCORE: Shape = { name: "text", score: "score", threshold: "number", "isAdvisory?": "flag", "reason?": "text" };

const TRIAL: Shape = {
  number: "number",
  status: "text",
  "why?": "text",
  scores: [SCORE],
  metrics: { "*": "number" },
  "stopReason?": "text",
  answer: "text",
  "sessionId?": "text",
};

const COMPARISON: Shape = {
  name: "text",
  now: "number",
  before: "number",
  difference: { value: "number", low: "number", high: "number" },
  p: "number",
  isWorse: "flag",
  isGated: "flag",
};

const RUN: Shape = {
  v: "number",
  id: "text",
  suite: "text",
  at: "number",
  ms: "number",
  version: { tree: "text", "commit?": "text", "hasChanges?": "flag" },
  "variant?": "text",
  models: [{ id: "text", "version?": "text" }],
  cases: [
    { id: "text", key: "text", world: "text", tags: ["text"], "cluster?": "text", trials: [TRIAL], planned: "number" },
  ],
  passed: { share: "number", low: "number", high: "number" },
  verdict: {
    outcome: "text",
    text: "text",
    metrics: [COMPARISON],
    broken: [{ id: "text", passed: "pair", before: "pair" }],
    "before?": { "*": "pair" },
    flaky: ["text"],
    added: ["text"],
    missing: ["text"],
    "seenDrop?": "number",
  },
  cost: { agent: "number", judges: "number", users: "number", total: "number", unpriced: "number" },
  "recordedShare?": "number",
  notFixed: ["text"],
  notes: ["text"],
};
