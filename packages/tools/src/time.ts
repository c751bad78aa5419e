import type { Tool } from "@pollux/core";
import { convertTime } from "./time/convert-time.ts";
import { currentTime } from "./time/current-time.ts";
import { shiftTime } from "./time/shift-time.ts";
import { timeBetween } from "./time/time-between.ts";
import type { TimeToolOptions } from "./time/clock.ts";

export type { TimeToolOptions } from "./time/clock.ts";
export { convertTime, type ConvertTimeInput, type ConvertedTimes } from "./time/convert-time.ts";
export { currentTime, type CurrentTimeInput, type CurrentTimes } from "./time/current-time.ts";
export type { Moment } from "./time/moment.ts";
export { shiftTime, type ShiftedTime, type ShiftTimeInput } from "./time/shift-time.ts";
export { timeBetween, type TimeBetween, type TimeBetweenInput } from "./time/time-between.ts";

/** `current_time`, `convert_time`, `shift_time` and `time_between`: clocks, time zones and calendar arithmetic. */
export function timeTools(options: TimeToolOptions = {}): Tool[] {
  return [currentTime(options), convertTime(options), shiftTime(options), timeBetween(options)];
}
