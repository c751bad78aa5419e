import { DateTime } from "luxon";
import { zoneOf } from "./zones.ts";

/** Options of the time tools. */
export interface TimeToolOptions {
  /** Where a time stands whose zone nobody names, such as `Europe/Oslo`. @defaultValue the zone of this machine */
  readonly zone?: string | undefined;
  /** The time, in milliseconds since 1970 in UTC. @defaultValue Date.now */
  readonly now?: (() => number) | undefined;
}

/** What the tools of one set share. */
export interface Clock {
  readonly zone: string;
  /** The current time in a zone. */
  now(zone: string): DateTime;
}

/** @throws {TypeError} When the zone is none. */
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
