import type { BigNumber, Unit } from "mathjs";
import type { Engine } from "./engine.ts";
import { Problem } from "./problem.ts";
import { bitsOf, type Rational, rationalOf } from "./rational.ts";

/** What a step of a calculation gives: exact, rounded to the engine's precision, with a unit, or a comparison. */
export type Value = Rational | BigNumber | Unit | boolean;

/** Numbers may have this many digits before or behind the point. */
export const MAX_EXPONENT = 10_000;

/** Exact numbers beyond this become rounded ones: about 10,000 digits. */
export const MAX_BITS = 34_000;

export function isRational(value: Value): value is Rational {
  return typeof value === "object" && "n" in value && typeof value.n === "bigint";
}

/** Longest denominator of an exact number, in bits: what it costs to add fractions grows with its square. */
const MAX_DENOMINATOR_BITS = 2_048;

/** An exact number, or a rounded one where the exact one would be too long. */
export function kept(value: Rational, engine: Engine): Value {
  const isShort = bitsOf(value) <= MAX_BITS && bitsOf({ n: 1n, d: value.d }) <= MAX_DENOMINATOR_BITS;
  return isShort ? value : bigOf(value, engine);
}

/** @throws {Problem} When it has too many digits. */
export function bigOf(value: Rational | BigNumber, engine: Engine): BigNumber {
  if (!("n" in value)) return checkBig(value);
  if (bitsOf(value) > MAX_BITS * 20) throw tooLong();
  // Both are numbers of the engine.
  return checkBig(engine.call("divide", [engine.big(String(value.n)), engine.big(String(value.d))]) as BigNumber);
}

/** @throws {Problem} When it is no number, or has too many digits. */
export function checkBig(value: BigNumber): BigNumber {
  if (value.isNaN()) throw new Problem("has no real result");
  if (!value.isFinite() || Math.abs(value.e) > MAX_EXPONENT) throw tooLong();
  return value;
}

/** Exact where the text is short enough. */
export function constantOf(value: BigNumber, engine: Engine): Value {
  const checked = checkBig(value);
  return checked.precision() > MAX_EXPONENT ? checked : kept(rationalOf(checked.toFixed()), engine);
}

export function tooLong(): Problem {
  return new Problem(`gives a number with more than ${MAX_EXPONENT.toLocaleString("en")} digits`);
}

/** @throws {Problem} When it is no whole number between 0 and the greatest. */
export function wholeOf(value: Value, what: string, greatest: number): number {
  if (isRational(value) && value.d === 1n && value.n >= 0n && value.n <= BigInt(greatest)) return Number(value.n);
  throw new Problem(`needs ${what} to be an integer from 0 to ${greatest.toLocaleString("en")}`);
}
