import { DateTime } from "luxon";
import { zoneOf } from "./zones.ts";

/** Options of the time tools. */
export interface TimeToolOptions {
  /** Zone of times that don't name one, such as `Europe/Oslo`. @defaultValue the zone of this machine */
  readonly zone?: string | undefined;
  /** The current time, in milliseconds since the epoch. @defaultValue Date.now */
  readonly now?: (() => number) | undefined;
}

/** Shared by the tools of one set. */
export interface Clock {
  readonly zone: string;
  /** The current time in a zone. */
  now(zone: string): DateTime;
}

/** @throws {TypeError} If the zone is invalid. */
export function clockOf({ zone, now = Date.now }: TimeToolOptions): Clock {
  let home: string;
  try {
    home = zoneOf(zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone);
  } catch (error) {
    throw new TypeError(`time tools: zone: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  return { zone: home, now: (where) => DateTime.fromMillis(now(), { zone: where }) };
}
