import type { BigNumber } from "mathjs";
import type { Engine } from "./engine.ts";
import { MAX_EXPONENT, tooLong } from "./numbers.ts";
import { Problem } from "./problem.ts";

/** A function on rounded decimals. */
export interface DecimalFunction {
  readonly least: number;
  readonly most: number;
  apply(args: readonly BigNumber[], engine: Engine): BigNumber | boolean;
}

/** Larger angles have lost their significant digits. */
const MAX_ANGLE = 1e15;

/** Operators and functions on rounded decimals, by mathjs's names. */
export const DECIMAL: ReadonlyMap<string, DecimalFunction> = new Map<string, DecimalFunction>([
  ...["add", "subtract", "multiply", "divide"].map((name) => plain(name, 2)),
  ...["unaryMinus", "abs", "sqrt", "cbrt", "log10", "log2"].map((name) => plain(name, 1)),
  ...["asin", "acos", "atan"].map((name) => plain(name, 1)),
  plain("atan2", 2),
  ...["sin", "cos", "tan"].map((name): Entry => [name, { least: 1, most: 1, apply: angle(name) }]),
  ...["exp", "sinh", "cosh", "tanh"].map((name): Entry => [name, { least: 1, most: 1, apply: exponential(name) }]),
  ["log", { least: 1, most: 2, apply: logarithm }],
  ["nthRoot", { least: 2, most: 2, apply: root }],
  ["hypot", { least: 1, most: 1_000, apply: hypotenuse }],
  ["pow", { least: 2, most: 2, apply: power }],
  method("unaryPlus", 1, (a) => a),
  method("floor", 1, (a) => a.floor()),
  method("ceil", 1, (a) => a.ceil()),
  method("fix", 1, (a) => a.trunc()),
  method("round", 1, (a, places) => a.toDecimalPlaces(placesOf(places)), 2),
  method("sum", 1, (...all) => all.reduce((a, b) => a.plus(b)), 1_000),
  method("mean", 1, (...all) => all.reduce((a, b) => a.plus(b)).div(all.length), 1_000),
  method("min", 1, (...all) => all.reduce((a, b) => (b.lt(a) ? b : a)), 1_000),
  method("max", 1, (...all) => all.reduce((a, b) => (b.gt(a) ? b : a)), 1_000),
  method("std", 2, deviation, 1_000),
  compare("larger", (order) => order > 0),
  compare("largerEq", (order) => order >= 0),
  compare("smaller", (order) => order < 0),
  compare("smallerEq", (order) => order <= 0),
  compare("equal", (order) => order === 0),
  compare("unequal", (order) => order !== 0),
]);

type Entry = [string, DecimalFunction];

function plain(name: string, count: number): Entry {
  return [name, { least: count, most: count, apply: (args, engine) => call(engine, name, args) }];
}

function method(
  name: string,
  least: number,
  apply: (first: BigNumber, ...more: readonly BigNumber[]) => BigNumber,
  most = least,
): Entry {
  // The number of arguments has been checked against `least`, which is at least 1.
  return [name, { least, most, apply: ([first, ...more]) => apply(first as BigNumber, ...more) }];
}

function compare(name: string, holds: (order: number) => boolean): Entry {
  return [name, { least: 2, most: 2, apply: ([a, b]) => holds(a?.cmp(b ?? a) ?? 0) }];
}

/** On decimals, these functions return decimals. */
function call(engine: Engine, name: string, args: readonly BigNumber[]): BigNumber {
  const result = engine.call(name, args);
  if (engine.isBig(result)) return result;
  throw new Problem("has no real result");
}

function angle(name: string): DecimalFunction["apply"] {
  return (args, engine) => {
    if (args[0]?.abs().gt(MAX_ANGLE)) throw new Problem("the angle is too large; take it modulo 2 pi first");
    return tidy(call(engine, name, args));
  };
}

/** Replaces the residue of a zero, left by rounding `pi`, with zero. */
function tidy(value: BigNumber): BigNumber {
  return value.toDecimalPlaces(70);
}

function exponential(name: string): DecimalFunction["apply"] {
  return (args, engine) => {
    if (args[0]?.abs().gt(MAX_EXPONENT * Math.LN10)) throw tooLong();
    return call(engine, name, args);
  };
}

function logarithm([value, base]: readonly BigNumber[], engine: Engine): BigNumber {
  if (value === undefined || value.lte(0) || base?.lte(0)) throw new Problem("has no real result");
  const natural = call(engine, "log", [value]);
  if (base === undefined) return natural;
  if (base.eq(10)) return call(engine, "log10", [value]);
  return base.eq(2) ? call(engine, "log2", [value]) : natural.div(call(engine, "log", [base]));
}

function root([value, degree]: readonly BigNumber[], engine: Engine): BigNumber {
  if (!degree?.isInteger() || degree.lt(1) || degree.gt(1_000))
    throw new Problem("needs the root to be an integer from 1 to 1,000");
  return call(engine, "nthRoot", [value, degree] as readonly BigNumber[]);
}

function hypotenuse(args: readonly BigNumber[], engine: Engine): BigNumber {
  return call(engine, "sqrt", [args.map((one) => one.times(one)).reduce((a, b) => a.plus(b))]);
}

function power(args: readonly BigNumber[], engine: Engine): BigNumber {
  const [base, exponent] = args;
  // Decides by size alone, without computing a number too long to read.
  if (base !== undefined && exponent !== undefined && !base.isZero()) {
    const digits = Math.abs(exponent.toNumber() * (base.e + 1));
    if (Math.abs(base.e) > 0 && digits > MAX_EXPONENT * 3) throw tooLong();
    if (exponent.abs().gt(1e12) && !base.abs().eq(1)) throw tooLong();
  }
  return call(engine, "pow", args);
}

function placesOf(places: BigNumber | undefined): number {
  if (places === undefined) return 0;
  if (places.isInteger() && places.gte(0) && places.lte(1_000)) return places.toNumber();
  throw new Problem("needs the decimals to be an integer from 0 to 1,000");
}

function deviation(...all: readonly BigNumber[]): BigNumber {
  const [first, ...rest] = all;
  if (first === undefined) throw new Problem("needs numbers");
  const mean = rest.reduce((a, b) => a.plus(b), first).div(all.length);
  const squares = all.map((one) => one.minus(mean).pow(2)).reduce((a, b) => a.plus(b));
  return squares.div(all.length - 1).sqrt();
}
