import { sharedPrefix } from "../internal/text.ts";
import { endOfValue, type JsonPlace, keyAt, textOf, walkBody, writePath } from "./json-place.ts";

/** A request's body compared with that of the request before it. */
export interface PrefixComparison {
  /** Bytes at the beginning that both have in common. */
  readonly sharedBytes: number;
  /** Absent when the request continues the one before: what came before its new contents is the same. */
  readonly broken?: BrokenPrefix | undefined;
}

/** Where a request stops being a continuation of the one before. */
export interface BrokenPrefix {
  /** Path of the first value that differs, such as `tools[0].functionDeclarations[3].description`. */
  readonly field: string;
  /** Some text around the difference in the request before; absent where the value is new. */
  readonly was?: string | undefined;
  /** The same of this request; absent where the value is gone. */
  readonly is?: string | undefined;
  /** Bytes of the earlier request's prompt from the difference on, which a cache can no longer serve. */
  readonly lostBytes: number;
}

/** The first place where two bodies differ. */
export interface BodyDifference {
  /** From 0, in the order of the run's requests. */
  readonly request: number;
  /** Of the kept exchange in its log, where there is one. */
  readonly position?: number | undefined;
  /** Step of the request, such as `model:2`. */
  readonly step: string;
  /** Path of the first value that differs, such as `tools[0].functionDeclarations[3].description`. */
  readonly field: string;
  /** Some text around it in the recorded body; absent where the value is new. */
  readonly was?: string | undefined;
  /** The same of the body as it is built now; absent where the value is gone. */
  readonly is?: string | undefined;
}

/**
 * Compares the bodies of two consecutive requests, in time linear in their length.
 *
 * A request continues another one if everything up to the end of the earlier contents is the same: the service's implicit cache reads
 * a prompt from its beginning. Settings that come after the contents are no part of it, and neither is a request that only takes the
 * last contents back.
 *
 * @see https://ai.google.dev/gemini-api/docs/caching
 */
export function comparePrefix(before: Uint8Array, after: Uint8Array): PrefixComparison {
  const sharedBytes = sharedPrefix(before, after);
  if (sharedBytes === before.length && sharedBytes === after.length) return { sharedBytes };
  const { place, contentsEnd } = walkBody(before, sharedBytes, isInNumber(after[sharedBytes]));
  if (sharedBytes >= contentsEnd || place === undefined) return { sharedBytes };
  const there = walkBody(after, sharedBytes, isInNumber(before[sharedBytes]));
  if (sharedBytes === there.contentsEnd) return { sharedBytes };
  const broken = describe(before, place, after, there.place ?? place, sharedBytes);
  return { sharedBytes, broken: { ...broken, lostBytes: contentsEnd - sharedBytes } };
}

/** Compares two whole bodies, settings included. @returns Undefined for equal bodies. */
export function compareBodies(
  recorded: Uint8Array,
  built: Uint8Array,
): Pick<BodyDifference, "field" | "was" | "is"> | undefined {
  const at = sharedPrefix(recorded, built);
  if (at === recorded.length && at === built.length) return undefined;
  const { place } = walkBody(recorded, at, isInNumber(built[at]));
  const { place: there } = walkBody(built, at, isInNumber(recorded[at]));
  // One of them is cut off, or is no JSON.
  const whole: JsonPlace = { path: [], what: "value", start: 0 };
  return describe(recorded, place ?? there ?? whole, built, there ?? place ?? whole, at);
}

function describe(
  before: Uint8Array,
  place: JsonPlace,
  after: Uint8Array,
  there: JsonPlace,
  at: number,
): Omit<BrokenPrefix, "lostBytes"> {
  if (place.what === "value" && there.what === "value")
    return {
      field: writePath(place.path),
      was: excerpt(before, place.start, at),
      is: excerpt(after, there.start, at),
    };
  // One of the two has a member that the other one does not have there.
  const [old, now] = [memberAt(before, place), memberAt(after, there)];
  const isOld = old !== undefined && (now === undefined || orderOf(old.name) <= orderOf(now.name));
  const member = isOld ? old : now;
  const isInObject = typeof member?.name === "string";
  const path = isInObject ? [...(isOld ? place : there).path, member.name] : (isOld ? place : there).path;
  const isSame = old?.name === now?.name;
  return {
    field: writePath(path),
    ...(old !== undefined && (isSame || isOld) && { was: excerpt(before, old.start, at) }),
    ...(now !== undefined && (isSame || !isOld) && { is: excerpt(after, now.start, at) }),
  };
}

/** The member of a list or object at a place. */
interface Member {
  /** Of an object's. */
  readonly name: string | undefined;
  /** Where its value starts, or its name. */
  readonly start: number;
}

/** The member that begins or goes on at a place; undefined where the list or object ends. */
function memberAt(body: Uint8Array, { what, start }: JsonPlace): Member | undefined {
  if (what === "value") return { name: undefined, start };
  if (what === "key") return { name: keyAt(body, start), start };
  if (body[start] !== COMMA) return undefined;
  return { name: keyAt(body, start + 1), start: start + 1 };
}

/** The order of a request's fields, so that the one that is missing in a request is named. */
const ORDER = ["systemInstruction", "tools", "cachedContent", "contents"];

function orderOf(name: string | undefined): number {
  const order = ORDER.indexOf(name ?? "");
  return order === -1 ? ORDER.length : order;
}

/** Bytes of an excerpt before and after the difference. */
const [BEFORE, AFTER] = [40, 80];

/** The text of a value around a position in it. */
function excerpt(body: Uint8Array, start: number, at: number): string {
  const from = Math.max(start, at - BEFORE);
  const end = endOfValue(body, start, at + AFTER);
  const to = Math.min(end, at + AFTER);
  return `${from > start ? "…" : ""}${textOf(body, from, to)}${to < end ? "…" : ""}`;
}

const COMMA = 0x2c;

/** True for what a number can go on with. */
function isInNumber(byte: number | undefined): boolean {
  return byte !== undefined && /[\d.eE+-]/.test(String.fromCharCode(byte));
}
