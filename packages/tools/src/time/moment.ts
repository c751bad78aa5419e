import { ToolError } from "@pollux/core";
import { DateTime } from "luxon";
import { type Clock, TIME_FORMAT } from "./clock.ts";
import { zoneOf } from "./zones.ts";

/** A time as the model reads it. */
export interface Moment {
  /** ISO 8601 with the offset from UTC, such as `2026-03-01T14:30:00+01:00`. */
  readonly time: string;
  /** IANA name, or an offset such as `UTC+2`. */
  readonly zone: string;
  readonly weekday: string;
}

/** A parsed time, and notes about it. */
export interface ReadMoment {
  readonly at: DateTime;
  readonly notes: readonly string[];
}

/** Longest text of a time, in characters. */
const MAX_TIME = 60;

/** @throws {ToolError} Outside the years 1 to 9999. */
export function momentOf(at: DateTime): Moment {
  const time = at.toISO({ suppressMilliseconds: true });
  if (time === null || at.year < 1 || at.year > 9999)
    throw new ToolError("the result is outside the years 1 to 9999; use smaller numbers");
  return { time, zone: at.zoneName ?? "UTC", weekday: at.setLocale("en").weekdayLong ?? "" };
}

/** The current time in a zone. */
export function nowIn(zone: string, clock: Clock): DateTime {
  return DateTime.fromMillis(clock.now(), { zone });
}

/**
 * Parses a time. An offset in the text determines the moment; without one, it is a local time in the zone.
 *
 * @param zone - The model's zone, otherwise the clock's. The result is in this zone.
 * @throws {ToolError} If the text is not a time, or the zone is invalid.
 */
export function readMoment(given: string, zone: string | undefined, clock: Clock): ReadMoment {
  const where = zone === undefined ? clock.zone : zoneOf(zone);
  const text = given.trim();
  if (/^now$/i.test(text)) return { at: nowIn(where, clock), notes: [] };
  const onlyTime = /^T?(\d{1,2}:\d{2}.*)$/.exec(text)?.[1]?.replace(/^\d:/, "0$&");
  const whole =
    onlyTime === undefined
      ? text.replace(/^(\d{4}-\d{2}-\d{2}) +/, "$1T")
      : `${nowIn(where, clock).toISODate()}T${onlyTime}`;
  const at = DateTime.fromISO(whole.slice(0, MAX_TIME + 1), { zone: where });
  if (!at.isValid || text.length > MAX_TIME || at.year < 1 || at.year > 9999) {
    const why = at.isValid ? "" : /unit/.test(at.invalidReason ?? "") ? ": there is no such date or time" : "";
    throw new ToolError(`${JSON.stringify(text.slice(0, MAX_TIME))} cannot be parsed${why}; use ${TIME_FORMAT}`);
  }
  const hasOffset = /(?:Z|[+-]\d{2}:?\d{2}|[+-]\d{2})$/i.test(whole.replace(/^[^T]*/, ""));
  if (hasOffset) return { at, notes: [] };
  // Of two moments with this local time, luxon returns one that depends on the offset used for parsing.
  const earliest = at.getPossibleOffsets().reduce((first, other) => (other < first ? other : first), at);
  return { at: earliest, notes: clockChanges(earliest, whole, where) };
}

/** How clock changes affect a local time: it may not exist, or exist twice. */
function clockChanges(at: DateTime, whole: string, zone: string): string[] {
  const meant = DateTime.fromISO(whole, { zone: "UTC" });
  if (meant.toISO({ includeOffset: false }) !== at.toISO({ includeOffset: false }))
    return [
      `${meant.toFormat("yyyy-MM-dd HH:mm")} does not exist in ${zone}, where clocks go forward; ${at.toFormat("HH:mm")} was used`,
    ];
  const [first, second] = at.getPossibleOffsets().map((one) => one.toFormat("ZZ"));
  if (first === undefined || second === undefined) return [];
  return [
    `${at.toFormat("yyyy-MM-dd HH:mm")} occurs twice in ${zone}, where clocks go back; ${at.toFormat("ZZ")} was used; specify the offset for the other one (${[first, second].find((offset) => offset !== at.toFormat("ZZ"))})`,
  ];
}

/** Notes as a field that is absent if there are none. */
export function notesOf(notes: readonly string[]): { readonly notes?: readonly string[] } {
  return notes.length === 0 ? {} : { notes };
}
