import { on } from "node:events";
import { afterAll, expect, test } from "vitest";
import { openManyService } from "../support/many-service.ts";
import type { ManyOrder, ManyReport } from "./support/many-process.ts";
import { startProgram } from "./support/processes.ts";
import { Tally } from "./support/tally.ts";

const RUNS = 5000;
const SESSIONS = 2000;
const SLOTS = 64;

const tally = new Tally(`${RUNS} runs at once through ${SLOTS} slots, then ${SESSIONS} sessions`);
afterAll(() => tally.print());

test("thousands of runs in one process all end, and waiting ones are small", { timeout: 1_800_000 }, async () => {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  await using service = await openManyService({ turns: 2, hold: () => opened });
  const child = startProgram(new URL("./support/many-process.ts", import.meta.url), ["--expose-gc"]);
  const messages = on(child, "message") as AsyncIterableIterator<[ManyReport]>;
  const next = async (): Promise<ManyReport> => (await messages.next()).value[0];
  child.send({ url: service.url, runs: RUNS, sessions: SESSIONS, maxConcurrent: SLOTS } satisfies ManyOrder);

  expect(await next()).toEqual({ type: "waiting", active: SLOTS, queued: RUNS - SLOTS });
  open();
  const report = await next();
  child.disconnect();
  if (report.type !== "done") throw new Error(`it said ${report.type}`);

  const { cpuMs, bytes } = report;
  const kilo = (size: number): string => `${(size / 1024).toFixed(1)} KB`;
  tally.note(`${(cpuMs / 1000).toFixed(1)} s of CPU for the runs`);
  tally.note(
    `a run that waits ${kilo(bytes.run)}, an idle session ${kilo(bytes.session)}, its log ${kilo(bytes.stored)}`,
  );
  tally.note(`${service.counts.sockets} connections for ${service.counts.requests} requests`);
  expect(report.texts).toEqual({ done: RUNS });
  expect(service.counts).toMatchObject({ requests: 2 * (RUNS + SESSIONS), mostAtOnce: SLOTS, refused: 0 });
  // Connections stay open for the next request; a slow process loses idle ones, and opens others.
  expect(service.counts.sockets).toBeLessThanOrEqual(service.counts.requests / 20);
  // Far above the measured values, but below those of anything that grows with the number of runs, or keeps whole answers.
  expect(bytes.run).toBeLessThan(64 * 1024);
  expect(bytes.session).toBeLessThan(48 * 1024);
  expect(bytes.stored).toBeLessThan(12 * 1024);
});
