/** An exact number: `n / d` in lowest terms, `d` above 0. */
export interface Rational {
  readonly n: bigint;
  readonly d: bigint;
}

/** @throws {RangeError} If `d` is 0. */
export function rational(n: bigint, d: bigint = 1n): Rational {
  if (d === 0n) throw new RangeError("division by zero");
  const factor = gcd(n, d) * (d < 0n ? -1n : 1n);
  return factor === 0n ? { n: 0n, d: 1n } : { n: n / factor, d: d / factor };
}

/** Parses plain decimal notation, such as `-12.50`. */
export function rationalOf(text: string): Rational {
  const [whole = "0", decimals = ""] = text.split(".");
  return rational(BigInt(whole + decimals), 10n ** BigInt(decimals.length));
}

export function add(a: Rational, b: Rational): Rational {
  return rational(a.n * b.d + b.n * a.d, a.d * b.d);
}

export function negate({ n, d }: Rational): Rational {
  return { n: -n, d };
}

export function multiply(a: Rational, b: Rational): Rational {
  return rational(a.n * b.n, a.d * b.d);
}

/** @throws {RangeError} If `b` is 0. */
export function divide(a: Rational, b: Rational): Rational {
  return rational(a.n * b.d, a.d * b.n);
}

/** Negative, 0 or positive if `a` is less than, equal to or greater than `b`. */
export function compare(a: Rational, b: Rational): number {
  const difference = a.n * b.d - b.n * a.d;
  return difference < 0n ? -1 : difference === 0n ? 0 : 1;
}

/** The greatest integer that is not greater. */
export function floor({ n, d }: Rational): Rational {
  return { n: n / d - (n < 0n && n % d !== 0n ? 1n : 0n), d: 1n };
}

/** Rounds to a number of decimals, halves away from zero. */
export function round(value: Rational, decimals: number): Rational {
  const scale = 10n ** BigInt(decimals);
  const { n, d } = value;
  const twice = ((n < 0n ? -n : n) * scale * 2n + d) / (d * 2n);
  return rational(n < 0n ? -twice : twice, scale);
}

/** The exact root, or `undefined` if there is none. */
export function squareRoot({ n, d }: Rational): Rational | undefined {
  const [top, bottom] = [wholeRoot(n), wholeRoot(d)];
  return top === undefined || bottom === undefined ? undefined : { n: top, d: bottom };
}

export function gcd(a: bigint, b: bigint): bigint {
  let [x, y] = [a < 0n ? -a : a, b < 0n ? -b : b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

/** Bits of numerator or denominator, whichever is longer; accurate to about three bits. */
export function bitsOf({ n, d }: Rational): number {
  return Math.max(n.toString(16).length, d.toString(16).length) * 4;
}

/** Decimal notation, or `undefined` if the digits never end or exceed `maxDigits`. */
export function decimalOf({ n, d }: Rational, maxDigits: number): string | undefined {
  let rest = d;
  let [twos, fives] = [0, 0];
  for (; rest % 2n === 0n; twos++) rest /= 2n;
  for (; rest % 5n === 0n; fives++) rest /= 5n;
  const places = Math.max(twos, fives);
  if (rest !== 1n || places > maxDigits) return undefined;
  const digits = ((n < 0n ? -n : n) * (10n ** BigInt(places) / d)).toString().padStart(places + 1, "0");
  if (digits.length > maxDigits) return undefined;
  const split = digits.length - places;
  return `${n < 0n ? "-" : ""}${digits.slice(0, split)}${places === 0 ? "" : `.${digits.slice(split)}`}`;
}

function wholeRoot(value: bigint): bigint | undefined {
  if (value < 0n) return undefined;
  if (value < 2n) return value;
  let root = 1n << BigInt(value.toString(16).length * 2);
  for (let next = (root + value / root) / 2n; next < root; next = (root + value / root) / 2n) root = next;
  return root * root === value ? root : undefined;
}
