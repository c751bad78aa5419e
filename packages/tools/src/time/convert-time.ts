import { defineTool, type Tool } from "@pollux/core";
import { z } from "zod/v4";
import { clockOf, loadMoments, TIME_FORMAT, type TimeToolOptions } from "./clock.ts";
import type { Moment } from "./moment.ts";
import { zoneOf } from "./zones.ts";

/** The model's input. */
export interface ConvertTimeInput {
  readonly time: string;
  readonly from_zone?: string | undefined;
  readonly to_zones: readonly string[];
}

/** One moment in several zones. */
export interface ConvertedTimes {
  readonly from: Moment;
  readonly to: readonly Moment[];
  /** How clock changes affect the time. */
  readonly notes?: readonly string[] | undefined;
}

/** `convert_time`: converts a time from one zone to others. */
export function convertTime(options: TimeToolOptions = {}): Tool<ConvertTimeInput, ConvertedTimes> {
  const clock = clockOf(options);
  return defineTool({
    name: "convert_time",
    description: "Converts a time from one time zone to others. Also returns the weekday.",
    input: z.object({
      time: z.string().describe(TIME_FORMAT),
      from_zone: z
        .string()
        .optional()
        .describe(`Time zone of a time without an offset, such as Europe/Berlin (default ${clock.zone})`),
      to_zones: z.array(z.string()).min(1).max(20).describe("Time zones, such as America/New_York"),
    }),
    effects: "none",
    reads: "trusted",
    run: async ({ time, from_zone, to_zones }): Promise<ConvertedTimes> => {
      const { momentOf, notesOf, readMoment } = await loadMoments();
      const { at, notes } = readMoment(time, from_zone, clock);
      return {
        from: momentOf(at),
        to: to_zones.map((zone) => momentOf(at.setZone(zoneOf(zone)))),
        ...notesOf(notes),
      };
    },
  });
}
