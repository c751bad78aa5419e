import { loadForCall } from "../optional-packages.ts";
import type * as Moments from "./moment.ts";
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
  /** The current time, in milliseconds since the epoch. */
  now(): number;
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
  return { zone: home, now };
}

/** Accepted time formats, for the descriptions of inputs. */
export const TIME_FORMAT = "ISO 8601, such as 2026-03-01T14:30, 2026-03-01T14:30:00Z, 2026-03-01, 14:30 (today) or now";

/** Loads the code that parses and formats times, at the first call. @throws {ToolError} If luxon is not installed. */
export function loadMoments(): Promise<typeof Moments> {
  return loadForCall({ user: "@pollux/tools/time", packages: ["luxon"] }, () => import("./moment.ts"));
}
