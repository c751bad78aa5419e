import type { Fields } from "../../internal/json.ts";
import type { NumberFound } from "../read/numbers.ts";
import { rawWords, stem } from "../../internal/words.ts";
import type { Filling } from "./fill-schema.ts";
import { descriptionOf } from "./text-kinds.ts";

/** The property that a number is for. */
export interface NumberPlace {
  readonly name: string;
  /** Index in a list, so that members differ. */
  readonly index: number;
  /** True if the values from the conversation have already been used. Default: false. */
  readonly fresh?: boolean | undefined;
  /** Whether it is an integer. */
  readonly whole: boolean;
  readonly schema: Fields;
  /** Words of the names of all properties of its object, stemmed. */
  readonly beside?: ReadonlySet<string> | undefined;
}

/** Words for the same quantity, in units and in names of properties. */
const GROUPS: readonly (readonly string[])[] = [
  "people person guest guests persons party seats diners covers adults size".split(" ").map(stem),
  "amount price total cost sum dollar dollars euro euros usd eur gbp nok jpy pounds budget".split(" ").map(stem),
  "percent percentage rate discount brightness level".split(" ").map(stem),
  "minutes duration length".split(" ").map(stem),
  "results entries items matches rows limit count top max".split(" ").map(stem),
  "temperature degrees celsius fahrenheit".split(" ").map(stem),
];

/** A number for a property: taken from the conversation if one fits, and always within the bounds. */
export function numberValue(place: NumberPlace, { material, elsewhere = [], random, used }: Filling): number {
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
  const sources = [material, ...elsewhere];
  const offers = sources.map((source) =>
    numbersFor(place, source.numbers)
      .map((found) => signed(found.value, schema, source.text))
      .filter(fits),
  );
  const offered = offers.find((values) => values.length > 0) ?? [];
  const free = offered.filter((value, index) => !used.has(`number ${value} ${index}`));
  const pool = free.length > 0 ? free : offered;
  const found = pool[place.index % Math.max(1, pool.length)];
  if (found !== undefined && place.fresh !== true) {
    used.add(`number ${found} ${offered.indexOf(found)}`);
    return found;
  }
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

/** The numbers of a text that a property may take: the ones with its unit, or else the ones without another property's unit. */
export function numbersFor(
  { name, beside = new Set() }: Pick<NumberPlace, "name" | "beside">,
  numbers: readonly NumberFound[],
): readonly NumberFound[] {
  const own = namesOf(name);
  const exact = numbers.filter(({ unit, before }) => isUnitOf(unit, own) || (before !== "" && own.has(stem(before))));
  if (exact.length > 0) return exact;
  const others = [...beside].filter((word) => !own.has(word));
  return numbers.filter(({ unit }) => !isUnitOf(unit, new Set(others)));
}

/** Whether the text names this property beside a number. */
export function isCounted(name: string, numbers: readonly NumberFound[]): boolean {
  const own = namesOf(name);
  if (own.size > 1 && !isInGroup(own)) return false;
  const isLimit = own.has("limit") || own.has("max") || own.has("count") || own.has("top");
  return numbers.some(
    ({ unit, before }) =>
      isUnitOf(unit, own) ||
      own.has(stem(before)) ||
      (isLimit && /^(?:first|top|last|latest|limit|most|newest)$/.test(before)),
  );
}

function namesOf(name: string): ReadonlySet<string> {
  return new Set(rawWords(name).map(stem));
}

function isInGroup(own: ReadonlySet<string>): boolean {
  return GROUPS.some((group) => group.some((word) => own.has(word)));
}

function isUnitOf(unit: string, own: ReadonlySet<string>): boolean {
  if (unit === "") return false;
  const word = unit === "%" ? "percent" : stem(unit);
  return own.has(word) || GROUPS.some((group) => group.includes(word) && group.some((other) => own.has(other)));
}

/** Makes a duration to subtract negative if the description asks for that. */
function signed(value: number, schema: Fields, text: string): number {
  const takesNegative = /negative to subtract/i.test(descriptionOf(schema));
  return takesNegative && value > 0 && /\b(?:ago|before|earlier|subtract|minus)\b/i.test(text) ? -value : value;
}
