import type { Fields } from "../internal/json.ts";
import type { Random } from "../internal/random.ts";
import type { Material } from "./material.ts";

/** The place a number is for. */
export interface NumberPlace {
  /** Index in a list, so that members differ. */
  readonly index: number;
  /** True if the values from the conversation have already been used. Default: false. */
  readonly fresh?: boolean | undefined;
  /** Whether it is an integer. */
  readonly whole: boolean;
  readonly schema: Fields;
}

/** A number for a property: taken from the conversation if one fits, and always within the bounds. */
export function numberValue(place: NumberPlace, material: Material, random: Random): number {
  const { schema, whole } = place;
  const bound = (name: string): number | undefined => (typeof schema[name] === "number" ? schema[name] : undefined);
  const step = bound("multipleOf") ?? (whole ? 1 : undefined);
  const nudge = step ?? 0.5;
  const exclusiveMin = bound("exclusiveMinimum");
  const exclusiveMax = bound("exclusiveMaximum");
  const above =
    exclusiveMin === undefined
      ? Number.NEGATIVE_INFINITY
      : exclusiveMin + (exclusiveMax === undefined ? nudge : Math.min(nudge, (exclusiveMax - exclusiveMin) / 4));
  const min = Math.max(bound("minimum") ?? Number.NEGATIVE_INFINITY, above);
  const below =
    exclusiveMax === undefined
      ? Number.POSITIVE_INFINITY
      : exclusiveMax - (Number.isFinite(min) ? Math.min(nudge, (exclusiveMax - min) / 2) : nudge);
  const max = Math.min(bound("maximum") ?? Number.POSITIVE_INFINITY, below);
  const fits = (value: number): boolean =>
    value >= min && value <= max && (step === undefined || Number.isInteger(value / step));
  const offered = material.numbers.filter(fits);
  const found = offered[place.index % Math.max(1, offered.length)];
  if (found !== undefined && place.fresh !== true) return found;
  const low = Number.isFinite(min) ? min : Number.isFinite(max) ? max - 10 : 1;
  const high = Number.isFinite(max) ? Math.min(max, low + 10) : low + 10;
  if (step === undefined) {
    const value = low + (high - low) * random.next();
    // Few digits if the bounds allow it.
    const rounded = [100, 1000].map((digits) => Math.round(value * digits) / digits);
    return [...rounded, value].find(fits) ?? low;
  }
  const first = Math.ceil(low / step);
  const last = Math.floor(high / step);
  return (first >= last ? first : random.int(first, last)) * step;
}
