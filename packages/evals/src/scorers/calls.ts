import type { Trial } from "../trials/trial.ts";
import { type ArgsMatcher, matchesArgs, sameJson } from "./match-args.ts";
import { makeScorer, type NamedScorer, shorten, sourceOf } from "./scorer.ts";

/** A call by its tool's name, or by name and arguments. */
export type ExpectedCall = string | readonly [name: string, args: ArgsMatcher];

/** The parts of a call that scorers look at. */
interface MadeCall {
  readonly name: string;
  readonly input?: unknown;
}

/**
 * The agent called a tool. Every call that the model made counts, whatever its outcome.
 *
 * @param args - What its arguments must be. @defaultValue any
 * @param options.times - How often, exactly. @defaultValue once or more
 */
export function called(
  name: string,
  args?: ArgsMatcher,
  options: { readonly times?: number | undefined } = {},
): NamedScorer {
  const { times } = options;
  const expected = args === undefined ? name : ([name, args] as const);
  return makeScorer("called", [name, args, times], ({ calls }) => {
    const count = findCalls(calls, expected).length;
    if (times === undefined ? count > 0 : count === times) return true;
    const often = times === undefined ? "not called" : `called ${count} times, not ${times}`;
    return `${describeExpected(expected)} was ${often}${describeCalls(calls)}`;
  });
}

/** These calls were made in this order; others may come between them. */
export function calledInOrder(...expected: readonly ExpectedCall[]): NamedScorer {
  checkAny("calledInOrder", expected);
  return makeScorer("calledInOrder", expected, ({ calls }) => {
    let from = 0;
    for (const one of expected) {
      const at = calls.findIndex((call, index) => index >= from && isCall(call, one));
      if (at === -1) return `${describeExpected(one)} was not called in its place${describeCalls(calls)}`;
      from = at + 1;
    }
    return true;
  });
}

/** Each of these calls was made, in any order; others may be, too. */
export function calledAll(...expected: readonly ExpectedCall[]): NamedScorer {
  checkAny("calledAll", expected);
  return makeScorer("calledAll", expected, ({ calls }) => {
    const missing = expected.filter((one) => findCalls(calls, one).length === 0);
    if (missing.length === 0) return true;
    return `${missing.map(describeExpected).join(" and ")} not called${describeCalls(calls)}`;
  });
}

/** None of these tools was called; without names, no tool at all. */
export function neverCalled(...names: readonly string[]): NamedScorer {
  return makeScorer("neverCalled", names, ({ calls }) => {
    const made = calls.filter(({ name }) => names.length === 0 || names.includes(name));
    return made.length === 0 || `must not be called${describeCalls(made)}`;
  });
}

/** No call was made twice with the same arguments. */
export function noRepeatedCalls(): NamedScorer {
  return makeScorer("noRepeatedCalls", [], ({ calls }) => {
    const again = calls.find(({ name, input }, index) =>
      calls.slice(0, index).some((earlier) => earlier.name === name && sameJson(earlier.input, input)),
    );
    return again === undefined || `called again: ${describeCall(again)}`;
  });
}

/**
 * A call of this tool needed approval.
 *
 * @param args - What its arguments must be. @defaultValue any
 */
export function asksApproval(name: string, args?: ArgsMatcher): NamedScorer {
  return makeScorer("asksApproval", [name, args], ({ approvals, calls }) => {
    const expected = args === undefined ? name : ([name, args] as const);
    const requested = approvals.map(({ call }) => ({ name: call.name, input: call.args ?? {} }));
    if (findCalls(requested, expected).length > 0) return true;
    return `nobody was asked to approve ${describeExpected(expected)}${describeCalls(calls)}`;
  });
}

/** The calls that are as expected. @throws {TypeError} For a schema that validates asynchronously. */
export function findCalls<Call extends MadeCall>(calls: readonly Call[], expected: ExpectedCall): readonly Call[] {
  return calls.filter((call) => isCall(call, expected));
}

function isCall(call: MadeCall, expected: ExpectedCall): boolean {
  if (typeof expected === "string") return call.name === expected;
  const [name, args] = expected;
  return call.name === name && matchesArgs(args, call.input);
}

/** Such as `refund with {"order":"17"}`. */
export function describeExpected(expected: ExpectedCall): string {
  if (typeof expected === "string") return expected;
  const [name, args] = expected;
  return `${name} with ${shorten(sourceOf(args))}`;
}

/** Such as `; calls: lookup({"order":"17"}), refund({"order":"17"})`. */
export function describeCalls(calls: Trial["calls"] | readonly MadeCall[]): string {
  if (calls.length === 0) return "; no calls";
  const more = calls.length > 10 ? `, and ${calls.length - 10} more` : "";
  return `; calls: ${calls.slice(0, 10).map(describeCall).join(", ")}${more}`;
}

function describeCall({ name, input }: MadeCall): string {
  return `${name}(${shorten(sourceOf(input))})`;
}

function checkAny(scorer: string, expected: readonly ExpectedCall[]): void {
  if (expected.length === 0) throw new TypeError(`${scorer}(): name the calls that are expected`);
}
