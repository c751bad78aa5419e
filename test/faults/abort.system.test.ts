import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { join } from "node:path";
import { Agent, endpoint, gemini, type RunResult, runSoFar, type Session } from "@pollux/core";
import { RunAbandonedError } from "@pollux/core/errors";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { EffectsList } from "./support/effects.ts";
import { answerUnknown, illegal, problemsOfErrand } from "./support/end-of-errand.ts";
import { DONE, errandTools, GO, LONG } from "./support/errand.ts";
import { Tally } from "./support/tally.ts";
import type { ServerState } from "./support/emulator-thread.ts";

const ERRAND = LONG;

const tally = new Tally("runs ended at each of their events", [
  "events",
  "ended there",
  "resumed",
  "next message",
  "left running",
  "lost",
  "doubled",
  "untyped",
]);

let server: Worker;
let url: string;
const unheard: unknown[] = [];
const hear = (error: unknown): void => void unheard.push(error);

// In its own thread, so that open resources here belong to the client.
beforeAll(async () => {
  server = new Worker(join(import.meta.dirname, "support/emulator-thread.ts"), {
    workerData: ERRAND,
    execArgv: ["--conditions=pollux-source"],
  });
  [url] = (await once(server, "message")) as [string];
});
afterAll(async () => {
  tally.print();
  await server.terminate();
});
beforeEach(() => void process.on("unhandledRejection", hear));
afterEach(() => void process.off("unhandledRejection", hear));

/** Ways to end a run midway. */
const WAYS = { "by its signal": true, "by leaving the loop": false } as const;

describe.each(Object.entries(WAYS))("%s", (way, bySignal) => {
  test.each([
    ["resumed", true],
    ["followed by the next message", false],
  ])("a run is ended at each of its events and %s", async (_name, resumed) => {
    const events = await countEvents();
    tally.count(way, "events", resumed ? events : 0);
    const sockets = active("TCPSocketWrap");
    const problems: string[] = [];
    for (let at = 1; at < events; at++) {
      problems.push(...tally.found(way, `event ${at}`, await endAt(at, bySignal, resumed, way)));
      tally.count(way, "ended there");
    }
    if (!(await until(() => active("TCPSocketWrap") <= sockets))) {
      problems.push(...tally.found(way, "afterward", ["left running: a socket"]));
    }
    expect(problems).toEqual([]);
    expect(unheard).toEqual([]);
  });
});

function sessionWith(effects: EffectsList): Session {
  const model = gemini("gemini-3.8-flash", {
    endpoint: endpoint({ baseUrl: url, apiKey: "emulator" }),
    retry: { minDelayMs: 1, maxDelayMs: 2 },
  });
  return new Agent({ model, tools: errandTools(effects, 1) }).session();
}

async function countEvents(): Promise<number> {
  let events = 0;
  for await (const _ of sessionWith(new EffectsList()).stream(GO)) events++;
  return events;
}

async function endAt(at: number, bySignal: boolean, resumed: boolean, row: string): Promise<readonly string[]> {
  const effects = new EffectsList();
  const session = sessionWith(effects);
  const timers = active("Timeout");
  const abort = new AbortController();
  const reason = new Error("enough");
  const running = session.stream(GO, { signal: abort.signal });
  const problems: string[] = [];
  let seen = 0;
  let ending: unknown;
  try {
    for await (const event of running) {
      // The number of text deltas varies; the run is over with its last event.
      if (++seen !== at || event.type === "run-end") continue;
      if (!bySignal) break;
      abort.abort(reason);
    }
    await running.result();
    ending = "finished";
  } catch (error) {
    ending = error;
  }
  // At its last events, the run may have been over.
  if (ending !== "finished") {
    const isRight = bySignal ? ending === reason : ending instanceof RunAbandonedError;
    if (!isRight) problems.push(`untyped: ended with ${String(ending)}`);
    const problem = illegal(runSoFar(ending)?.contents ?? []) ?? illegal(await session.history());
    if (problem !== undefined) problems.push(`lost: ${problem}`);
  }
  if (!(await until(() => active("Timeout") <= timers))) problems.push("left running: a timer");
  const { open } = await ask();
  if (open > 0) problems.push(`left running: ${open} requests`);

  const { lastRun, resumable } = await session.state();
  if (lastRun !== (ending === "finished" ? "finished" : "aborted")) problems.push(`lost: its last run is ${lastRun}`);
  if (ending === "finished") return problems;
  let result: RunResult<unknown>;
  if (resumed) {
    if (!resumable) return [...problems, "lost: it cannot be resumed"];
    result = await answerUnknown(session, await session.resume(), effects.all);
    tally.count(row, "resumed");
  } else {
    // An abandoned tool continues for a moment; a person's next message would not come in the same instant.
    await until(() => effects.all.filter(({ step }) => step === "start").length * 2 === effects.all.length);
    result = await session.send("Go on.");
    tally.count(row, "next message");
  }
  if (result.stopReason !== "finished" || result.text !== DONE) problems.push(`lost: ended with ${result.stopReason}`);
  const history = await session.history();
  const found = problemsOfErrand(ERRAND, history, effects.all);
  // The model got no result of the canceled call, so it may repeat it.
  problems.push(
    ...(resumed ? found.filter((one) => !mayHappenAgain(one)) : found.filter((one) => !one.startsWith("doubled"))),
  );
  return problems;
}

/** A call that was cut off is repeated on a resume, unless it must happen once. */
function mayHappenAgain(problem: string): boolean {
  return problem.startsWith("doubled") && !problem.includes("pay");
}

/** The number of resources of a kind that keep this process alive. */
function active(kind: string): number {
  return process.getActiveResourcesInfo().filter((one) => one === kind).length;
}

async function until(holds: () => boolean): Promise<boolean> {
  // Polls without timers, which would count; the limit ends a hang.
  const over = performance.now() + 30_000;
  while (!holds() && performance.now() < over) await new Promise((resolve) => setImmediate(resolve));
  return holds();
}

/** The number of requests in progress, after a moment to end. */
async function ask(): Promise<ServerState> {
  const answer = once(server, "message");
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  server.postMessage("state");
  const [state] = (await answer) as [ServerState];
  return state;
}
