import type { Engine } from "./engine.ts";
import { isRational, kept, MAX_BITS, tooLong, type Value, wholeOf } from "./numbers.ts";
import { Problem } from "./problem.ts";
import {
  add,
  bitsOf,
  compare,
  divide,
  floor,
  gcd,
  multiply,
  negate,
  type Rational,
  rational,
  round,
  squareRoot,
} from "./rational.ts";

/** Returns `undefined` if the result is not exact: then the decimal function of the same name is used. */
export type Exact = (args: readonly Rational[], engine: Engine) => Value | undefined;

/** How many arguments a function takes, and how to compute it exactly. */
export interface ExactFunction {
  readonly least: number;
  readonly most: number;
  readonly exact: Exact;
}

const ZERO = rational(0n);
const ONE = rational(1n);
const MANY = 1_000;

/** Functions of several numbers need a common denominator, whose cost grows with the square of its bits. */
const MAX_SHARED_BITS = 16_000;

/** Fractions of longer numbers are not reduced to lowest terms. */
const MAX_REDUCED_BITS = 4_096;

/** Operators and functions that can be exact, by mathjs's names. */
export const EXACT: ReadonlyMap<string, ExactFunction> = new Map<string, ExactFunction>([
  ["add", binary(add)],
  ["subtract", binary((a, b) => add(a, negate(b)))],
  ["multiply", binary(multiply)],
  ["divide", { least: 2, most: 2, exact: ([a = ZERO, b = ONE], engine) => quotient(a, b, engine) }],
  ["mod", binary(modulo)],
  ["pow", { least: 2, most: 2, exact: ([a = ZERO, b = ZERO], engine) => power(a, b, engine) }],
  ["unaryMinus", unary(negate)],
  ["unaryPlus", unary((a) => a)],
  ["abs", unary(absolute)],
  ["sign", unary((a) => rational(BigInt(compare(a, ZERO))))],
  ["floor", unary(floor)],
  ["ceil", unary((a) => negate(floor(negate(a))))],
  ["fix", unary((a) => rational(a.n / a.d))],
  [
    "round",
    { least: 1, most: 2, exact: ([a = ZERO, places = ZERO]) => round(a, wholeOf(places, "the decimals", 1_000)) },
  ],
  ["sqrt", { least: 1, most: 1, exact: ([a = ZERO]) => squareRoot(a) }],
  ["sum", several((all) => all.reduce(add, ZERO))],
  ["mean", several(mean)],
  ["median", several(median)],
  ["min", several((all) => all.reduce((a, b) => (compare(b, a) < 0 ? b : a)))],
  ["max", several((all) => all.reduce((a, b) => (compare(b, a) > 0 ? b : a)))],
  ["variance", several(variance, 2)],
  ["std", { least: 2, most: MANY, exact: (all) => squareRoot(variance(all)) }],
  ["gcd", several((all) => rational(all.map(whole).reduce(gcd)))],
  ["lcm", several((all) => rational(all.map(whole).reduce(lcm)))],
  ["factorial", { least: 1, most: 1, exact: ([n = ZERO]) => factorial(wholeOf(n, "its number", 3_200)) }],
  ["combinations", { least: 2, most: 2, exact: ([n = ZERO, k = ZERO]) => choose(n, k) }],
  ["permutations", { least: 2, most: 2, exact: ([n = ZERO, k = ZERO]) => product(whole(n), steps(k)) }],
  ["larger", comparison((order) => order > 0)],
  ["largerEq", comparison((order) => order >= 0)],
  ["smaller", comparison((order) => order < 0)],
  ["smallerEq", comparison((order) => order <= 0)],
  ["equal", comparison((order) => order === 0)],
  ["unequal", comparison((order) => order !== 0)],
]);

function unary(apply: (a: Rational) => Rational): ExactFunction {
  return { least: 1, most: 1, exact: ([a = ZERO], engine) => kept(apply(a), engine) };
}

function binary(apply: (a: Rational, b: Rational) => Rational): ExactFunction {
  return { least: 2, most: 2, exact: ([a = ZERO, b = ZERO], engine) => kept(apply(a, b), engine) };
}

function several(apply: (all: readonly Rational[]) => Rational, least = 1): ExactFunction {
  const exact: Exact = (all, engine) => {
    if (all.reduce((bits, one) => bits + bitsOf(one), 0) > MAX_SHARED_BITS) throw tooLong();
    return kept(apply(all), engine);
  };
  return { least, most: MANY, exact };
}

function comparison(holds: (order: number) => boolean): ExactFunction {
  return { least: 2, most: 2, exact: ([a = ZERO, b = ZERO]) => holds(compare(a, b)) };
}

function absolute(a: Rational): Rational {
  return a.n < 0n ? negate(a) : a;
}

function modulo(a: Rational, b: Rational): Rational {
  return add(a, negate(multiply(b, floor(divide(a, b)))));
}

function quotient(a: Rational, b: Rational, engine: Engine): Value | undefined {
  const [top, bottom] = [a.n * b.d, a.d * b.n];
  if (bottom !== 0n && top % bottom === 0n) return kept(rational(top / bottom), engine);
  const isLong = Math.min(bitsOf(a), bitsOf(b)) > MAX_REDUCED_BITS;
  return isLong ? undefined : kept(rational(top, bottom), engine);
}

function power(base: Rational, exponent: Rational, engine: Engine): Value | undefined {
  if (exponent.d === 2n) {
    const root = squareRoot(base);
    return root === undefined ? undefined : power(root, rational(exponent.n), engine);
  }
  if (exponent.d !== 1n) return undefined;
  if (exponent.n === 0n || compare(base, ONE) === 0) return ONE;
  if (base.n === 0n) return exponent.n > 0n ? ZERO : divide(ONE, ZERO);
  const times = exponent.n < 0n ? -exponent.n : exponent.n;
  if (times > BigInt(MAX_BITS)) return undefined;
  if ((bitsOf(base) - 4) * Number(times) > MAX_BITS) return undefined;
  const result = { n: base.n ** times, d: base.d ** times };
  return kept(exponent.n < 0n ? divide(ONE, result) : result, engine);
}

function mean(all: readonly Rational[]): Rational {
  return divide(all.reduce(add, ZERO), rational(BigInt(all.length)));
}

function median(all: readonly Rational[]): Rational {
  const sorted = all.toSorted(compare);
  const half = Math.floor((sorted.length - 1) / 2);
  return mean(sorted.slice(half, sorted.length - half));
}

/** Of a sample: divided by the count minus one. */
function variance(all: readonly Rational[]): Rational {
  const middle = mean(all);
  const squares = all.map((one) => add(one, negate(middle))).map((one) => multiply(one, one));
  return divide(squares.reduce(add, ZERO), rational(BigInt(all.length - 1)));
}

function whole(value: Rational): bigint {
  if (value.d === 1n) return value.n;
  throw new Problem("needs integers");
}

function lcm(a: bigint, b: bigint): bigint {
  const factor = gcd(a, b);
  const result = factor === 0n ? 0n : (a / factor) * b;
  return result < 0n ? -result : result;
}

function factorial(n: number): Rational {
  let result = 1n;
  for (let factor = 2n; factor <= n; factor++) result *= factor;
  return rational(result);
}

function steps(k: Rational): number {
  return wholeOf(k, "the number that is chosen", 3_200);
}

function choose(n: Rational, k: Rational): Rational {
  const [all, chosen] = [whole(n), whole(k)];
  const fewer = rational(all - chosen < chosen && all >= chosen ? all - chosen : chosen);
  return rational(product(all, steps(fewer)).n / factorial(steps(fewer)).n);
}

/** `n · (n − 1) · …`, with the given number of factors. */
function product(n: bigint, factors: number): Rational {
  if (n < 0n) throw new Problem("needs numbers that are not negative");
  let result = 1n;
  for (let index = 0n; index < factors; index++) {
    result *= n - index;
    if (index % 64n === 0n && bitsOf({ n: result, d: 1n }) > MAX_BITS * 4) throw tooLong();
  }
  return rational(result);
}

/** The arguments, or `undefined` if one is not exact. */
export function rationals(args: readonly Value[]): readonly Rational[] | undefined {
  return args.every(isRational) ? args : undefined;
}
