import type { Recording } from "./recordings.ts";

/** One difference between the library and a recording. */
export interface Failure {
  readonly file: string;
  /** Index in the file. */
  readonly exchange: number;
  readonly why: string;
}

/** The result of a check. */
export interface CheckResult {
  /** Comparisons made, the failed ones included. */
  readonly checked: number;
  readonly failures: readonly Failure[];
  /** Kind of thing → how many were checked. */
  readonly measured: { readonly [what: string]: number };
  /** Rule → how many missing values it explains. */
  readonly vanished: { readonly [rule: string]: number };
  /** Reason → how many exchanges were skipped for it. */
  readonly skipped: { readonly [why: string]: number };
  /** Notes for the reader, such as the seed. */
  readonly notes: readonly string[];
}

/** A property that must hold for every recording. */
export interface Check {
  readonly id: string;
  /** The property, as a sentence. */
  readonly claim: string;
  /** The part of the library that is compared. */
  readonly compares: string;
  /** The reference for the comparison. */
  readonly against: string;
  /** Kinds of values that may be missing, and why nothing is lost. */
  readonly mayVanish?: readonly { readonly rule: string; readonly why: string }[] | undefined;
  /** Makes all comparisons for one recording. */
  run(recording: Recording, tally: Tally): Promise<void>;
}

/** Collects the results of a check. */
export class Tally {
  readonly #notes = new Set<string>();
  readonly #failures: Failure[] = [];
  readonly #skipped = new Map<string, number>();
  readonly #counts = new Map<string, number>();
  readonly #measured = new Map<string, number>();
  readonly #vanished = new Map<string, number>();
  readonly #shares = new Map<string, { readonly all: number; readonly well: number }>();
  #checked = 0;

  /** Counts one comparison; `why` is the problem, undefined for none. */
  compare(file: string, exchange: number, why: string | undefined): void {
    this.#checked++;
    if (why !== undefined) this.#failures.push({ file, exchange, why });
  }

  skip(why: string): void {
    increment(this.#skipped, why);
  }

  count(what: string): void {
    increment(this.#counts, what);
  }

  /** Adds to the count of checked things. */
  measure(what: string, amount: number): void {
    increment(this.#measured, what, amount);
  }

  /** Counts missing values by rule. */
  vanish(rule: string, amount: number): void {
    increment(this.#vanished, rule, amount);
  }

  /** Counts one of a kind, and whether it is right; the result has the share of right ones. */
  share(what: string, good: boolean): void {
    const { all, well } = this.#shares.get(what) ?? { all: 0, well: 0 };
    this.#shares.set(what, { all: all + 1, well: well + (good ? 1 : 0) });
  }

  /** Adds a note, unless the result already has it. */
  note(text: string): void {
    this.#notes.add(text);
  }

  result(): CheckResult {
    const counts = [...this.#counts].map(([what, count]) => `${count} ${what}`);
    const shares = [...this.#shares].map(
      ([what, { all, well }]) => `${well} of ${all} ${what}, ${((100 * well) / all).toFixed(1)}%`,
    );
    return {
      checked: this.#checked,
      failures: this.#failures,
      measured: Object.fromEntries(this.#measured),
      vanished: Object.fromEntries(this.#vanished),
      skipped: Object.fromEntries(this.#skipped),
      notes: [...this.#notes, ...shares, ...counts],
    };
  }
}

function increment(counts: Map<string, number>, key: string, amount = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + amount);
}

/** The first difference between two JSON values, key order included; `undefined` when there is none. */
export function difference(actual: unknown, expected: unknown, path = "$"): string | undefined {
  if (Object.is(actual, expected)) return undefined;
  if (Array.isArray(actual) && Array.isArray(expected)) {
    for (let i = 0; i < Math.min(actual.length, expected.length); i++) {
      const found = difference(actual[i], expected[i], `${path}[${i}]`);
      if (found !== undefined) return found;
    }
    return actual.length === expected.length
      ? undefined
      : `${path} has ${actual.length} entries, recorded ${expected.length}`;
  }
  if (isObject(actual) && isObject(expected)) {
    for (const key of Object.keys(expected)) {
      if (!Object.hasOwn(actual, key)) return `${path}.${key} is missing, recorded ${excerpt(expected[key])}`;
      const found = difference(actual[key], expected[key], `${path}.${key}`);
      if (found !== undefined) return found;
    }
    const added = Object.keys(actual).find((key) => !Object.hasOwn(expected, key));
    if (added !== undefined) return `${path}.${added} is ${excerpt(actual[added])}, not recorded`;
    const [ours, theirs] = [Object.keys(actual).join(), Object.keys(expected).join()];
    return ours === theirs ? undefined : `${path} has its keys in the order ${ours}, recorded ${theirs}`;
  }
  return `${path} is ${excerpt(actual)}, recorded ${excerpt(expected)}`;
}

/** Text of a value, short enough for a line. */
export function excerpt(value: unknown): string {
  const text = JSON.stringify(value) ?? "undefined";
  return text.length <= 160 ? text : `${text.slice(0, 110)}…${text.slice(-40)}`;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
