import { defineTool, type Tool } from "@pollux/core";
import { z } from "zod/v4";
import { clockOf, loadMoments, type TimeToolOptions } from "./clock.ts";
import type { Moment } from "./moment.ts";
import { zoneOf } from "./zones.ts";

/** The model's input. */
export interface CurrentTimeInput {
  readonly zones?: readonly string[] | undefined;
}

/** One moment in each zone. */
export interface CurrentTimes {
  readonly times: readonly Moment[];
}

/** `current_time`: current date, time and weekday in one or more zones. */
export function currentTime(options: TimeToolOptions = {}): Tool<CurrentTimeInput, CurrentTimes> {
  const clock = clockOf(options);
  return defineTool({
    name: "current_time",
    description: "Current date, time and weekday, in one or more time zones.",
    input: z.object({
      zones: z
        .array(z.string())
        .min(1)
        .max(20)
        .optional()
        .describe(`Time zones, such as Europe/Berlin or UTC+2 (default ${clock.zone})`),
    }),
    effects: "none",
    reads: "trusted",
    run: async ({ zones = [clock.zone] }): Promise<CurrentTimes> => {
      const { momentOf, nowIn } = await loadMoments();
      return { times: zones.map((zone) => momentOf(nowIn(zoneOf(zone), clock))) };
    },
  });
}
