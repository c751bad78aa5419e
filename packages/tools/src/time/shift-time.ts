import { defineTool, type Tool } from "@pollux/core";
import type { DateTime } from "luxon";
import { z } from "zod/v4";
import { clockOf, loadMoments, TIME_FORMAT, type TimeToolOptions } from "./clock.ts";
import type { Moment } from "./moment.ts";

const UNITS = ["years", "months", "weeks", "days", "hours", "minutes", "seconds"] as const;
const WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const;

type Weekday = (typeof WEEKDAYS)[number];

/** The model's input. */
export type ShiftTimeInput = {
  readonly time?: string | undefined;
  readonly zone?: string | undefined;
  readonly next_weekday?: Weekday | undefined;
  readonly previous_weekday?: Weekday | undefined;
} & { readonly [Unit in (typeof UNITS)[number]]?: number | undefined };

/** A time and the result. */
export interface ShiftedTime {
  readonly from: Moment;
  readonly result: Moment;
  /** Effects of the calendar or of clock changes. */
  readonly notes?: readonly string[] | undefined;
}

/** `shift_time`: adds or subtracts durations, and finds the next or previous weekday. */
export function shiftTime(options: TimeToolOptions = {}): Tool<ShiftTimeInput, ShiftedTime> {
  const clock = clockOf(options);
  const amount = (unit: string): z.ZodOptional<z.ZodInt> =>
    z.int().min(-1_000_000_000).max(1_000_000_000).optional().describe(`${unit} to add; negative to subtract`);
  return defineTool({
    name: "shift_time",
    description:
      "Adds durations to a time or subtracts them, then moves to the next or previous weekday if one is given. Years through days keep the time of day; hours through seconds are exact.",
    input: z.object({
      time: z.string().optional().describe(`${TIME_FORMAT} (default now)`),
      zone: z.string().optional().describe(`Time zone to calculate in (default ${clock.zone})`),
      years: amount("Years"),
      months: amount("Months"),
      weeks: amount("Weeks"),
      days: amount("Days"),
      hours: amount("Hours"),
      minutes: amount("Minutes"),
      seconds: amount("Seconds"),
      next_weekday: z.enum(WEEKDAYS).optional().describe("Move to the first such day after that date"),
      previous_weekday: z.enum(WEEKDAYS).optional().describe("Move to the last such day before that date"),
    }),
    effects: "none",
    reads: "trusted",
    run: async ({ time = "now", zone, next_weekday, previous_weekday, ...given }): Promise<ShiftedTime> => {
      const { momentOf, notesOf, readMoment } = await loadMoments();
      const { at, notes } = readMoment(time, zone, clock);
      const duration = Object.fromEntries(UNITS.map((unit) => [unit, given[unit] ?? 0]));
      const months = at.plus({ years: given.years ?? 0, months: given.months ?? 0 });
      const clamped =
        months.isValid && months.day !== at.day
          ? [`${months.toFormat("yyyy-MM")} has no day ${at.day}; day ${months.day} was used`]
          : [];
      const shifted = toWeekday(toWeekday(at.plus(duration), next_weekday, 1), previous_weekday, -1);
      return { from: momentOf(at), result: momentOf(shifted), ...notesOf([...notes, ...clamped]) };
    },
  });
}

/** The nearest such day in that direction, never the day itself. */
function toWeekday(at: DateTime, weekday: Weekday | undefined, direction: 1 | -1): DateTime {
  if (weekday === undefined || !at.isValid) return at;
  const wanted = WEEKDAYS.indexOf(weekday) + 1;
  const days = (((wanted - at.weekday) * direction + 6) % 7) + 1;
  return at.plus({ days: days * direction });
}
