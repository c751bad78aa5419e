import type { BigNumber } from "mathjs";
import type { Engine } from "./engine.ts";
import { bigOf, isRational, type Value } from "./numbers.ts";
import { decimalOf } from "./rational.ts";

/** A result as the model reads it. */
export interface Shown {
  readonly result: string;
  readonly fraction?: string | undefined;
  readonly rounded?: true | undefined;
}

/** Most digits shown of an exact result. */
const MAX_EXACT_DIGITS = 1_000;

/** Longest fraction shown, in characters. */
const MAX_FRACTION = 100;

/** @param digits - Significant digits of inexact results. */
export function show(value: Value, digits: number, engine: Engine): Shown {
  if (typeof value === "boolean") return { result: String(value) };
  if (isRational(value)) {
    const exact = decimalOf(value, MAX_EXACT_DIGITS);
    if (exact !== undefined) return { result: exact };
    const fraction = `${value.n}/${value.d}`;
    return {
      result: decimal(bigOf(value, engine), digits),
      ...(value.d !== 1n && fraction.length <= MAX_FRACTION ? { fraction } : {}),
      rounded: true,
    };
  }
  if (engine.isUnit(value)) {
    const shown = value.format({ precision: digits, lowerExp: -12, upperExp: 24 });
    return { result: shown, ...(/\d/.test(shown) && digitsIn(shown) >= digits ? { rounded: true } : {}) };
  }
  return { result: decimal(value, digits), rounded: true };
}

function decimal(value: BigNumber, digits: number): string {
  const short = value.toSignificantDigits(digits);
  return short.e > 40 || short.e < -20 ? short.toExponential() : short.toFixed();
}

function digitsIn(text: string): number {
  return /[\d.]+/.exec(text)?.[0].replaceAll(/\D|^0+/g, "").length ?? 0;
}
