import type { BigNumber, Unit } from "mathjs";
import type { Engine } from "./engine.ts";
import { Problem } from "./problem.ts";
import { bitsOf, type Rational, rationalOf } from "./rational.ts";

/** The result of a step: exact, rounded to the engine's precision, with a unit, or a comparison. */
export type Value = Rational | BigNumber | Unit | boolean;

/** Most digits of a number before or after the decimal point. */
export const MAX_EXPONENT = 10_000;

/** Longer exact numbers are rounded: about 10,000 digits. */
export const MAX_BITS = 34_000;

export function isRational(value: Value): value is Rational {
  return typeof value === "object" && "n" in value && typeof value.n === "bigint";
}

/** Longest denominator of an exact number, in bits: the cost of adding fractions grows with its square. */
const MAX_DENOMINATOR_BITS = 2_048;

/** An exact number, or a rounded one if the exact one would be too long. */
export function kept(value: Rational, engine: Engine): Value {
  const isShort = bitsOf(value) <= MAX_BITS && bitsOf({ n: 1n, d: value.d }) <= MAX_DENOMINATOR_BITS;
  return isShort ? value : bigOf(value, engine);
}

/** @throws {Problem} If it has too many digits. */
export function bigOf(value: Rational | BigNumber, engine: Engine): BigNumber {
  if (!("n" in value)) return checkBig(value);
  if (bitsOf(value) > MAX_BITS * 20) throw tooLong();
  // Both are numbers created by the engine.
  return checkBig(engine.call("divide", [engine.big(String(value.n)), engine.big(String(value.d))]) as BigNumber);
}

/** @throws {Problem} If it is not a number, or has too many digits. */
export function checkBig(value: BigNumber): BigNumber {
  if (value.isNaN()) throw new Problem("has no real result");
  if (!value.isFinite() || Math.abs(value.e) > MAX_EXPONENT) throw tooLong();
  return value;
}

/** Exact if the text is short enough. */
export function constantOf(value: BigNumber, engine: Engine): Value {
  const checked = checkBig(value);
  return checked.precision() > MAX_EXPONENT ? checked : kept(rationalOf(checked.toFixed()), engine);
}

export function tooLong(): Problem {
  return new Problem(`gives a number with more than ${MAX_EXPONENT.toLocaleString("en")} digits`);
}

/** @throws {Problem} If it is not an integer from 0 to `greatest`. */
export function wholeOf(value: Value, what: string, greatest: number): number {
  if (isRational(value) && value.d === 1n && value.n >= 0n && value.n <= BigInt(greatest)) return Number(value.n);
  throw new Problem(`needs ${what} to be an integer from 0 to ${greatest.toLocaleString("en")}`);
}
