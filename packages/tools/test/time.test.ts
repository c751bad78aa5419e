import { Agent, type Tool, type ToolContext, ToolError } from "@pollux/core";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { convertTime, currentTime, shiftTime, timeBetween, timeTools } from "../src/time.ts";

/** A Wednesday. */
const now = (): number => Date.UTC(2026, 2, 4, 12, 30);
const options = { zone: "Europe/Berlin", now };

/** Calls a tool as the loop does. */
async function use(tool: Tool, args: object): Promise<unknown> {
  // The tools read nothing of the context.
  return await tool.run(await tool.parse(args), {} as ToolContext);
}

async function failure(used: Promise<unknown>): Promise<string> {
  const error = await used.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ToolError);
  return (error as ToolError).message;
}

test("timeTools gives four tools that only read", () => {
  expect(timeTools().map(({ name, effects }) => [name, effects])).toEqual([
    ["current_time", "none"],
    ["convert_time", "none"],
    ["shift_time", "none"],
    ["time_between", "none"],
  ]);
  expect(() => timeTools({ zone: "Europe/Berln" })).toThrow(
    'time tools: zone: there is no time zone "Europe/Berln"; use Europe/Berlin',
  );
});

describe("current_time", () => {
  test("tells the time here, and in other zones", async () => {
    expect(await use(currentTime(options), {})).toEqual({
      times: [{ time: "2026-03-04T13:30:00+01:00", zone: "Europe/Berlin", weekday: "Wednesday" }],
    });
    expect(await use(currentTime(options), { zones: ["utc", "america/los angeles", "+05:30", "GMT-3"] })).toEqual({
      times: [
        { time: "2026-03-04T12:30:00Z", zone: "UTC", weekday: "Wednesday" },
        { time: "2026-03-04T04:30:00-08:00", zone: "America/Los_Angeles", weekday: "Wednesday" },
        { time: "2026-03-04T18:00:00+05:30", zone: "UTC+5:30", weekday: "Wednesday" },
        { time: "2026-03-04T09:30:00-03:00", zone: "UTC-3", weekday: "Wednesday" },
      ],
    });
  });

  test("reads the clock of the machine when it is given none", async () => {
    const before = Date.now();
    const { times } = (await use(currentTime({ zone: "UTC" }), {})) as { times: { time: string }[] };
    expect(Date.parse(times[0]!.time)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(times[0]!.time)).toBeLessThanOrEqual(Date.now());
  });

  test.each([
    ["Tokyo", 'there is no time zone "Tokyo"; use Asia/Tokyo'],
    [
      "Europe/Münich",
      'there is no time zone "Europe/Münich"; use an IANA name such as Europe/Berlin or an offset such as UTC+2',
    ],
    ["Germany/Berlin", 'there is no time zone "Germany/Berlin"; use Europe/Berlin'],
    ["New York", 'there is no time zone "New York"; use America/New_York'],
    ["PST", 'there is no time zone "PST"; use America/Los_Angeles'],
    ["ist", 'there is no time zone "ist"; use one of Asia/Kolkata, Europe/Dublin, Asia/Jerusalem'],
    ["UTC+99", 'there is no time zone "UTC+99"; use an IANA name such as Europe/Berlin or an offset such as UTC+2'],
    ["", 'there is no time zone ""; use an IANA name such as Europe/Berlin or an offset such as UTC+2'],
    [
      "../etc/passwd",
      'there is no time zone "../etc/passwd"; use an IANA name such as Europe/Berlin or an offset such as UTC+2',
    ],
  ])("does not know %j and says what may be meant", async (zone, message) => {
    expect(await failure(use(currentTime(options), { zones: [zone] }))).toBe(message);
  });
});

describe("convert_time", () => {
  const times = async (args: object): Promise<unknown> => {
    const { from, to, notes } = (await use(convertTime(options), args)) as {
      from: { time: string };
      to: { time: string }[];
      notes?: string[];
    };
    return [from.time, ...to.map(({ time }) => time), ...(notes ?? [])];
  };

  test("gives the whole of both", async () => {
    expect(await use(convertTime(options), { time: "2026-07-01T23:30", to_zones: ["Asia/Tokyo"] })).toEqual({
      from: { time: "2026-07-01T23:30:00+02:00", zone: "Europe/Berlin", weekday: "Wednesday" },
      to: [{ time: "2026-07-02T06:30:00+09:00", zone: "Asia/Tokyo", weekday: "Thursday" }],
    });
  });

  test.each([
    ["now", ["2026-03-04T13:30:00+01:00", "2026-03-04T12:30:00Z"]],
    ["9:05", ["2026-03-04T09:05:00+01:00", "2026-03-04T08:05:00Z"]],
    ["2026-12-24", ["2026-12-24T00:00:00+01:00", "2026-12-23T23:00:00Z"]],
    ["2026-12-24 18:00", ["2026-12-24T18:00:00+01:00", "2026-12-24T17:00:00Z"]],
    ["2026-12-24T18:00:00-05:00", ["2026-12-25T00:00:00+01:00", "2026-12-24T23:00:00Z"]],
    [
      "2026-03-29T02:30",
      [
        "2026-03-29T03:30:00+02:00",
        "2026-03-29T01:30:00Z",
        "2026-03-29 02:30 does not exist in Europe/Berlin, where clocks go forward; 03:30 was used",
      ],
    ],
    [
      "2026-10-25T02:30",
      [
        "2026-10-25T02:30:00+02:00",
        "2026-10-25T00:30:00Z",
        "2026-10-25 02:30 occurs twice in Europe/Berlin, where clocks go back; +02:00 was used; specify the offset for the other one (+01:00)",
      ],
    ],
    ["2026-10-25T02:30+01:00", ["2026-10-25T02:30:00+01:00", "2026-10-25T01:30:00Z"]],
  ])("reads %j", async (time, expected) => {
    expect(await times({ time, to_zones: ["UTC"] })).toEqual(expected);
  });

  test.each([
    ["tomorrow", '"tomorrow" cannot be parsed; use ISO 8601,'],
    ["2026-02-30", '"2026-02-30" cannot be parsed: there is no such date or time; use ISO 8601,'],
    ["25:00", '"25:00" cannot be parsed: there is no such date or time; use ISO 8601,'],
    ["+123456-01-01", '"+123456-01-01" cannot be parsed; use ISO 8601,'],
    ["1".repeat(10_000), "cannot be parsed; use ISO 8601,"],
  ])("cannot read %.20j", async (time, message) => {
    const text = await failure(use(convertTime(options), { time, to_zones: ["UTC"] }));
    expect(text).toContain(message);
    expect(text.length).toBeLessThan(300);
  });
});

describe("shift_time", () => {
  test.each<[object, string, string, (readonly string[])?]>([
    [{ days: 1 }, "2026-03-05T13:30:00+01:00", "Thursday"],
    [{ weeks: -1, hours: 2 }, "2026-02-25T15:30:00+01:00", "Wednesday"],
    [
      { time: "2026-01-31", months: 1 },
      "2026-02-28T00:00:00+01:00",
      "Saturday",
      ["2026-02 has no day 31; day 28 was used"],
    ],
    [
      { time: "2024-02-29", years: 1 },
      "2025-02-28T00:00:00+01:00",
      "Friday",
      ["2025-02 has no day 29; day 28 was used"],
    ],
    // Over a change of the clocks a day keeps the time of day, and 24 hours do not.
    [{ time: "2026-03-28T12:00", days: 1 }, "2026-03-29T12:00:00+02:00", "Sunday"],
    [{ time: "2026-03-28T12:00", hours: 24 }, "2026-03-29T13:00:00+02:00", "Sunday"],
    [{ next_weekday: "wednesday" }, "2026-03-11T13:30:00+01:00", "Wednesday"],
    [{ next_weekday: "thursday" }, "2026-03-05T13:30:00+01:00", "Thursday"],
    [{ next_weekday: "monday" }, "2026-03-09T13:30:00+01:00", "Monday"],
    [{ previous_weekday: "wednesday" }, "2026-02-25T13:30:00+01:00", "Wednesday"],
    [{ previous_weekday: "tuesday" }, "2026-03-03T13:30:00+01:00", "Tuesday"],
    [{ zone: "Asia/Tokyo", seconds: 90 }, "2026-03-04T21:31:30+09:00", "Wednesday"],
  ])("%j", async (args, time, weekday, notes) => {
    const shifted = (await use(shiftTime(options), args)) as { result: object; notes?: string[] };
    expect([shifted.result, shifted.notes]).toEqual([{ time, zone: expect.any(String), weekday }, notes]);
  });

  test.each([[{ years: 9_000 }], [{ days: -1_000_000_000 }], [{ years: 1_000_000_000 }]])(
    "stays inside of the calendar: %j",
    async (args) => {
      expect(await failure(use(shiftTime(options), args))).toBe(
        "the result is outside the years 1 to 9999; use smaller numbers",
      );
    },
  );
});

describe("time_between", () => {
  test("counts by the calendar and in total", async () => {
    expect(await use(timeBetween(options), { from: "2024-02-28T22:00", to: "now" })).toEqual({
      from: { time: "2024-02-28T22:00:00+01:00", zone: "Europe/Berlin", weekday: "Wednesday" },
      to: { time: "2026-03-04T13:30:00+01:00", zone: "Europe/Berlin", weekday: "Wednesday" },
      order: "to is later",
      duration: "2 years, 3 days, 15 hours, 30 minutes",
      calendar_days: 735,
      total_days: 734.645833,
      total_hours: 17_631.5,
      total_seconds: 63_473_400,
    });
  });

  test("counts backward without negative figures, and over a clock change", async () => {
    expect(await use(timeBetween(options), { from: "2026-03-30", to: "2026-03-29" })).toMatchObject({
      order: "to is earlier",
      duration: "1 day",
      calendar_days: 1,
      total_hours: 23,
    });
    expect(await use(timeBetween(options), { from: "now", to: "now" })).toMatchObject({
      order: "the same moment",
      duration: "0 seconds",
      calendar_days: 0,
    });
  });
});

test("an agent can use them", async () => {
  const model = new ScriptedModel(
    call("shift_time", { days: 2 }),
    call("current_time", { zones: ["Pariis"] }),
    say("Friday."),
  );
  const result = await new Agent({ model, tools: timeTools(options) }).run("What day is it in two days?");
  expect(result.text).toBe("Friday.");
  const answers = model.requests
    .at(-1)
    ?.contents.flatMap(({ parts }) =>
      parts.flatMap(({ functionResponse }) => (functionResponse === undefined ? [] : [functionResponse.response])),
    );
  expect(answers).toEqual([
    {
      output: {
        from: { time: "2026-03-04T13:30:00+01:00", zone: "Europe/Berlin", weekday: "Wednesday" },
        result: { time: "2026-03-06T13:30:00+01:00", zone: "Europe/Berlin", weekday: "Friday" },
      },
    },
    { error: 'there is no time zone "Pariis"; use Europe/Paris' },
  ]);
});
