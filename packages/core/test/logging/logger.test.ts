import { spawnSync } from "node:child_process";
import { afterEach, expect, test, vi } from "vitest";
import { bindLogger, defaultLogger, type LoadWriter, SILENT } from "../../src/logging/logger.ts";
import { until } from "../helpers/until.ts";

afterEach(() => void vi.restoreAllMocks());

test("is silent for POLLUX_LOG=silent", () => {
  expect(defaultLogger({ POLLUX_LOG: "silent" })).toBe(SILENT);
});

test.each([{}, { POLLUX_LOG: "" }, { POLLUX_LOG: "loud" }])("shows the first error of each tool for %j", (env) => {
  const written = vi.spyOn(console, "error").mockImplementation(() => {});
  const logger = bindLogger(defaultLogger(env), { runId: "r1" });
  const err = new Error("the station is down");
  for (const method of ["trace", "debug", "info", "warn"] as const) logger[method]({ err }, "not this");
  for (const tool of ["get_weather", "get_weather", "get_time"])
    logger.error({ err, tool, callId: "c1", stage: "running" }, "tool failed");
  const hint = "(only the first error of each tool is shown: POLLUX_LOG=error logs all, POLLUX_LOG=silent none)";
  expect(written.mock.calls).toEqual([
    [`Pollux: tool failed: get_weather ${hint}`],
    [err],
    [`Pollux: tool failed: get_time ${hint}`],
    [err],
  ]);
});

test("writes lines of its level and above in order, loading once, with the first of them", async () => {
  const lines: unknown[] = [];
  const load = vi.fn<LoadWriter>(
    async () =>
      (...line) =>
        void lines.push(line),
  );
  const logger = defaultLogger({ POLLUX_LOG: "INFO" }, load);
  logger.debug({ n: 0 }, "below");
  expect(load).not.toHaveBeenCalled();
  logger.info({ n: 1 }, "first");
  logger.error({ n: 2 }, "second");
  await until(() => lines.length === 2);
  logger.warn({ n: 3 }, "third");
  expect(lines).toEqual([
    ["info", { n: 1 }, "first"],
    ["error", { n: 2 }, "second"],
    ["warn", { n: 3 }, "third"],
  ]);
  expect(load.mock.calls).toEqual([["info"]]);
});

test("falls back to the console when there is no pino", async () => {
  const written = vi.spyOn(console, "error").mockImplementation(() => {});
  const logger = defaultLogger({ POLLUX_LOG: "debug" }, () => Promise.reject(new Error("not installed")));
  logger.debug({ n: 1 }, "hello");
  await until(() => written.mock.calls.length > 0);
  expect(written.mock.calls).toEqual([['{"level":"debug","name":"pollux","n":1,"msg":"hello"}']]);
});

test("writes through pino to standard error", () => {
  const url = new URL("../../src/logging/logger.ts", import.meta.url).href;
  const program = `import { defaultLogger } from ${JSON.stringify(url)}; defaultLogger().warn({ n: 1 }, "hello");`;
  const child = spawnSync(process.execPath, ["--conditions=pollux-source", "--input-type=module", "-e", program], {
    env: { ...process.env, POLLUX_LOG: "warn" },
    encoding: "utf8",
  });
  expect(child.stdout).toBe("");
  expect(JSON.parse(child.stderr)).toMatchObject({ level: 40, name: "pollux", n: 1, msg: "hello" });
});
