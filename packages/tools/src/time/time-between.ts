import { defineTool, type Tool } from "@pollux/core";
import { z } from "zod/v4";
import { clockOf, loadMoments, TIME_FORMAT, type TimeToolOptions } from "./clock.ts";
import type { Moment } from "./moment.ts";

const UNITS = ["years", "months", "days", "hours", "minutes", "seconds"] as const;

/** The model's input. */
export interface TimeBetweenInput {
  readonly from: string;
  readonly to: string;
  readonly zone?: string | undefined;
}

/** The difference between two times. The numbers are never negative; `order` says which time is later. */
export interface TimeBetween {
  readonly from: Moment;
  readonly to: Moment;
  readonly order: "to is later" | "to is earlier" | "the same moment";
  /** By the calendar, such as `1 year, 2 months, 3 days`. */
  readonly duration: string;
  /** Number of midnights in between, in the zone. */
  readonly calendar_days: number;
  /** 24 hours each, with fractions. */
  readonly total_days: number;
  readonly total_hours: number;
  readonly total_seconds: number;
  /** How clock changes affect the times. */
  readonly notes?: readonly string[] | undefined;
}

/** `time_between`: the time between two times. */
export function timeBetween(options: TimeToolOptions = {}): Tool<TimeBetweenInput, TimeBetween> {
  const clock = clockOf(options);
  return defineTool({
    name: "time_between",
    description:
      "Returns the time between two times: by the calendar (years, months, days, ...) and in total days, hours and seconds. Useful for ages and countdowns.",
    input: z.object({
      from: z.string().describe(TIME_FORMAT),
      to: z.string().describe("Same format as from"),
      zone: z.string().optional().describe(`Time zone to calculate in (default ${clock.zone})`),
    }),
    effects: "none",
    reads: "trusted",
    run: async ({ from, to, zone }): Promise<TimeBetween> => {
      const { momentOf, notesOf, readMoment } = await loadMoments();
      const first = readMoment(from, zone, clock);
      const second = readMoment(to, zone, clock);
      const isLater = second.at >= first.at;
      const [start, end] = isLater ? [first.at, second.at] : [second.at, first.at];
      const parts = end.diff(start, [...UNITS]).toObject();
      const named = UNITS.flatMap((unit) => {
        const count = Math.floor(parts[unit] ?? 0);
        return count === 0 ? [] : [`${count} ${count === 1 ? unit.slice(0, -1) : unit}`];
      });
      const seconds = (end.toMillis() - start.toMillis()) / 1000;
      return {
        from: momentOf(first.at),
        to: momentOf(second.at),
        order: seconds === 0 ? "the same moment" : isLater ? "to is later" : "to is earlier",
        duration: named.length === 0 ? "0 seconds" : named.join(", "),
        calendar_days: Math.round(
          end
            .setZone("UTC", { keepLocalTime: true })
            .startOf("day")
            .diff(start.setZone("UTC", { keepLocalTime: true }).startOf("day"), "days").days,
        ),
        total_days: round(seconds / 86_400),
        total_hours: round(seconds / 3_600),
        total_seconds: seconds,
        ...notesOf([...first.notes, ...second.notes]),
      };
    },
  });
}

function round(value: number): number {
  return Number(value.toFixed(6));
}
