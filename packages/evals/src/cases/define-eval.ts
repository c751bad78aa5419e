import type { Agent } from "@pollux/core";
import { checkOptions, namesIn, type OptionNames } from "@pollux/core/wire";
import type { AnyCase, EvalCase, SessionCase } from "./eval-case.ts";
import type { EvalSuite, EvalSuiteOptions, GateOptions } from "./eval-suite.ts";

const OPTIONS: OptionNames<EvalSuiteOptions> = namesIn(
  "agent data scorers trials baselineTrials world standIn allowEffects unknownCall match approve scrub variants gate",
  "concurrency context metadata",
);
const SPELLINGS = {
  "use agent": "task solver target",
  "use data": "cases dataset tests",
  "use scorers": "scores evaluators metrics assert",
  "use trials": "trialCount epochs repeat samples",
  "use standIn": "mocks stubs mock",
  "use concurrency": "maxConcurrency",
  "use gate": "threshold",
};
const GATE: OptionNames<GateOptions> = namesIn("metrics budget errors level");
const CASE: OptionNames<EvalCase> = namesIn("id input expected scorers tags metadata cluster");
const SESSION_CASE: OptionNames<SessionCase> = namesIn(
  "id recording runId turn turns expected scorers tags metadata cluster",
);

/** Form of the name of a suite, a case or a variant: it is part of ids and of file names. */
const NAME = /^[\w.-]{1,100}$/u;

/**
 * A suite: an agent, cases, and how they are tried and scored. Export it from a file `*.eval.ts`.
 *
 * @throws {TypeError} For options that do not exist or are not valid, with what to do.
 * @example
 * ```ts
 * export default defineEval("weather", {
 *   agent,
 *   scorers: [function isShort({ text }) { return text.length < 200; }],
 *   data: [{ id: "oslo", input: "Do I need an umbrella in Oslo?" }],
 * });
 * ```
 */
export function defineEval<Expected = unknown>(name: string, options: EvalSuiteOptions<Expected>): EvalSuite<Expected> {
  if (typeof name !== "string" || !NAME.test(name))
    throw new TypeError(`defineEval(): the name of a suite has letters, digits, ".", "_" and "-", got ${show(name)}`);
  const fail = failing(`defineEval("${name}")`);
  checkOptions(`defineEval("${name}")`, options, OPTIONS, SPELLINGS);
  const { agent, data, world, unknownCall, standIn = {}, allowEffects = [], variants = [] } = options;
  if (!isAgent(agent) && typeof agent !== "function")
    fail(`agent must be an agent, or a function that makes one, got ${show(agent)}`);
  if (!Array.isArray(data) && typeof data !== "function")
    fail(`data must be a list of cases, or a function that returns one, got ${show(data)}`);
  for (const one of ["trials", "baselineTrials", "concurrency"] as const) checkCount(fail, one, options[one]);
  checkWord(fail, "world", world, ["replay", "recorded-tools", "fork", "live"]);
  checkWord(fail, "unknownCall", unknownCall, ["fail", "stand-in", "run"]);
  for (const one of ["approve", "scrub"] as const)
    if (options[one] !== undefined && typeof options[one] !== "function") fail(`${one} must be a function`);
  for (const option of ["standIn", "match"] as const)
    for (const [tool, given] of Object.entries(options[option] ?? {}))
      if (typeof given !== "function") fail(`${option}.${tool} must be a function, got ${show(given)}`);
  const both = allowEffects.find((tool) => Object.hasOwn(standIn, tool));
  if (both !== undefined) fail(`"${both}" is in both standIn and allowEffects: leave out one of them`);
  for (const one of variants)
    if (!NAME.test(one)) fail(`a variant has letters, digits, ".", "_" and "-", got ${show(one)}`);
  if (new Set(variants).size < variants.length) fail("two variants have the same name");
  if (variants.length > 0 && typeof agent !== "function")
    fail("variants need an agent that is a function, such as ({ variant }) => new Agent(…)");
  checkGate(`defineEval("${name}")`, fail, options.gate);
  checkScorers(fail, "scorers", options.scorers);
  if (Array.isArray(data)) checkCases(name, options, data);
  return { ...options, kind: "eval-suite", name };
}

/** Recognized by its methods: the suite may have its own copy of core. */
export function isAgent(value: unknown): value is Agent {
  if (typeof value !== "object" || value === null) return false;
  return ["run", "stream", "session"].every((name) => typeof Reflect.get(value, name) === "function");
}

/**
 * The cases of a suite, checked. Calls `data` if it is a function.
 *
 * @throws {TypeError} For cases that are not valid, with what to do; and what the function throws.
 */
export async function readCases<Expected>(suite: EvalSuite<Expected>): Promise<readonly AnyCase<Expected>[]> {
  const { data, name } = suite;
  const cases = typeof data === "function" ? await data() : data;
  checkCases(name, suite, cases);
  if (cases.length === 0) failing(`suite "${name}"`)("it has no cases: add some to data");
  return cases;
}

function checkCases<Expected>(
  name: string,
  suite: Pick<EvalSuiteOptions, "scrub">,
  cases: readonly AnyCase<Expected>[],
): void {
  const seen = new Set<string>();
  for (const [index, one] of cases.entries()) {
    const { id } = one;
    if (typeof id !== "string" || !NAME.test(id))
      failing(`suite "${name}"`)(
        `the id of case ${index + 1} must have letters, digits, ".", "_" and "-", got ${show(id)}`,
      );
    const fail = failing(`suite "${name}", case "${id}"`);
    if (seen.has(id)) fail("another case has the same id");
    seen.add(id);
    const isRecorded = "recording" in one;
    checkOptions(`suite "${name}", case "${id}"`, one, isRecorded ? SESSION_CASE : CASE, {
      "use input": "prompt question query message",
      "use expected": "output answer target",
    });
    checkScorers(fail, "scorers", one.scorers);
    if (!isRecorded && saysNothing(one.input)) fail("it has no input");
    if (!isRecorded) continue;
    checkCount(fail, "turn", one.turn);
    checkCount(fail, "turns", one.turns);
    if (one.turns !== undefined && one.turn === undefined) fail("turns needs turn: where the fork begins");
    if (suite.scrub === undefined)
      fail(
        'recorded cases need the suite\'s scrub, such as scrub: (text) => text.replaceAll(customer, "Kim"); (text) => text if there is nothing to hide',
      );
  }
}

/** Anything is possible: the case may come from a file. */
function saysNothing(input: EvalCase["input"] | null | undefined): boolean {
  if (typeof input !== "object" || input === null) return (input ?? "") === "";
  return "messages" in input && input.messages.length === 0;
}

function checkGate(where: string, fail: Fail, gate: GateOptions | undefined): void {
  if (gate === undefined) return;
  checkOptions(`${where}: gate`, gate, GATE, {
    "use metrics": "scores",
    "use budget": "maxCost",
    "use level": "alpha",
  });
  if (gate.metrics?.length === 0) fail('gate.metrics is empty: name what fails a build, such as ["passed"]');
  if (gate.budget !== undefined && !(gate.budget > 0))
    fail(`gate.budget must be more than 0, got ${show(gate.budget)}`);
  for (const name of ["errors", "level"] as const) {
    const share = gate[name];
    if (share !== undefined && !(share >= 0 && share < 1))
      fail(`gate.${name} is a share, such as 0.05, got ${show(share)}`);
  }
}

function checkScorers(fail: Fail, option: string, scorers: unknown): void {
  if (scorers === undefined) return;
  if (!Array.isArray(scorers)) fail(`${option} must be a list, got ${show(scorers)}`);
  else
    for (const one of scorers)
      if (typeof one !== "function") fail(`${option} has ${show(one)}, but a scorer is a function of a trial`);
}

export function checkCount(fail: Fail, option: string, value: number | undefined): void {
  if (value !== undefined && !(Number.isInteger(value) && value >= 1))
    fail(`${option} must be a whole number from 1 on, got ${show(value)}`);
}

function checkWord(fail: Fail, option: string, value: string | undefined, words: readonly string[]): void {
  if (value !== undefined && !words.includes(value))
    fail(`${option} must be ${words.map((word) => `"${word}"`).join(" or ")}, got ${show(value)}`);
}

type Fail = (problem: string) => never;

export function failing(where: string): Fail {
  return (problem) => {
    throw new TypeError(`${where}: ${problem}`);
  };
}

function show(value: unknown): string {
  if (value === null || value === undefined || typeof value === "number") return String(value);
  return typeof value === "string" ? JSON.stringify(value) : Array.isArray(value) ? "a list" : `a ${typeof value}`;
}
