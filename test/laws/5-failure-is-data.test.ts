import { Agent, AgentError, defineTool, type RunResult, runSoFar, ToolFailure } from "@pollux/core";
import { calls, type Fault, say } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { type Face, faces } from "../../packages/core/test/helpers/faces.ts";
import { CATALOGUE } from "../support/fault-catalogue.ts";
import { ANSWER, byStep, goOn, TOOLS, trip } from "../support/trip.ts";
import { inMadeUpTime, SILENCE_MS } from "../support/made-up-time.ts";
import { openWorld, type World } from "../support/world.ts";

type Name = keyof typeof CATALOGUE;

/** How a run ends whose request meets a fault once, and again and again: with a stop reason, or the code of an error. */
const ENDS: { readonly [Each in Name]: readonly [once: string, always: string] } = {
  perMinuteQuota: ["finished", "api_status"],
  perDayQuota: ["api_status", "api_status"],
  tierWithoutModel: ["api_status", "api_status"],
  plainQuota: ["finished", "api_status"],
  inputTokenQuota: ["finished", "api_status"],
  prepaidEmpty: ["api_status", "api_status"],
  spendRate: ["finished", "api_status"],
  apiError: ["api_status", "api_status"],
  overloaded: ["finished", "api_status"],
  internalError: ["finished", "api_status"],
  deadlineExceeded: ["finished", "api_status"],
  cancelled: ["finished", "api_status"],
  htmlPage: ["finished", "api_status"],
  arrayWrappedError: ["finished", "api_status"],
  gatewayStatus: ["finished", "api_status"],
  errorInStream: ["finished", "api_status"],
  gatewayErrorInStream: ["finished", "api_status"],
  closeEarly: ["finished", "stream_incomplete"],
  closeMidJson: ["finished", "stream_incomplete"],
  reset: ["finished", "api_network"],
  stall: ["finished", "api_timeout"],
  slowFirstByte: ["finished", "api_timeout"],
  usageOnlyChunk: ["finished", "finished"],
  emptyStop: ["finished", "empty"],
  onlyThoughts: ["finished", "empty"],
  noCandidates: ["finished", "stream_incomplete"],
  malformedCall: ["finished", "bad-call"],
  unexpectedToolCall: ["finished", "bad-call"],
  maxTokensMidCall: ["finished", "truncated"],
  maxTokens: ["truncated", "truncated"],
  safety: ["blocked", "blocked"],
  finishReason: ["unknown-finish", "unknown-finish"],
  promptBlocked: ["response_blocked", "response_blocked"],
  driftingOffsets: ["finished", "finished"],
  brokenArgs: ["finished", "finished"],
  duplicateIds: ["finished", "finished"],
  missingIds: ["finished", "finished"],
  undeclaredCall: ["finished", "repeated-calls"],
  callDespiteNone: ["finished", "repeated-calls"],
};

/** What came of a run, however it ended. */
async function outcome(
  face: Face,
  world: World,
  what: string,
): Promise<{ end: string; soFar: Pick<RunResult, "contents" | "turns" | "usage"> }> {
  const agent = new Agent({
    model: world.model(undefined, {
      retry: { maxAttempts: 2, minDelayMs: 1, maxDelayMs: 2 },
      timeouts: { firstByteMs: SILENCE_MS, idleMs: SILENCE_MS, totalMs: Number.POSITIVE_INFINITY },
    }),
    tools: TOOLS,
    maxRestarts: 1,
  });
  try {
    const result = await face(agent, "Weather?");
    if (result.stopReason === "finished") expect(result.text, what).toBe(ANSWER);
    return { end: result.stopReason, soFar: result };
  } catch (error) {
    expect(error, what).toBeInstanceOf(AgentError);
    const soFar = runSoFar(error);
    expect(soFar, what).toBeDefined();
    return { end: (error as AgentError).code, soFar: soFar! };
  }
}

/** Lets the fault happen at the nth request of a run of three: once, or from there on. */
async function meet(face: Face, name: Name, at: number, always: boolean): Promise<string> {
  const fault: Fault = CATALOGUE[name];
  const what = `${name} at request ${at}${always ? " and ever after" : ""}`;
  let down = true;
  await using world = await openWorld({
    brain: trip(),
    faults: [{ at: ({ number }) => down && (always ? number >= at : number === at), fault }],
  });
  const { end, soFar } = await inMadeUpTime(world.takeSilence, () => outcome(face, world, what));
  down = false;

  // Everything before that request is there: a model content and its answers for each turn.
  expect(soFar.contents.length, what).toBeGreaterThanOrEqual(1 + 2 * (at - 1));
  expect(soFar.usage.requests, what).toBeGreaterThanOrEqual(at - 1);
  expect(soFar.turns, what).toBeGreaterThanOrEqual(at - 1);
  // And the run can go on from there.
  const again = await new Agent({ model: world.model(), tools: TOOLS }).run(goOn(soFar.contents));
  expect(again, what).toMatchObject({ stopReason: "finished", text: ANSWER });
  expect(again.contents.slice(0, soFar.contents.length), what).toEqual(soFar.contents);
  return end;
}

describe.each(faces)("%s", (_face, read) => {
  test.each([1, 2, 3])("every fault at request %i, once", async (at) => {
    const names = Object.keys(CATALOGUE) as Name[];
    const ends: { [name: string]: string } = {};
    for (const name of names) ends[name] = await meet(read, name, at, false);
    expect(ends).toEqual(Object.fromEntries(names.map((name) => [name, ENDS[name][0]])));
  });

  test.each([1, 2, 3])("every fault at request %i and ever after", async (at) => {
    const names = Object.keys(CATALOGUE) as Name[];
    const ends: { [name: string]: string } = {};
    for (const name of names) ends[name] = await meet(read, name, at, true);
    expect(ends).toEqual(Object.fromEntries(names.map((name) => [name, ENDS[name][1]])));
  });

  test("whatever a tool does is data for the model, and the run goes on", async () => {
    const ways: readonly (() => unknown)[] = [
      () => Promise.reject(new Error("disk on fire")),
      () => {
        // oxlint-disable-next-line typescript/only-throw-error -- some libraries do
        throw "a text";
      },
      () => {
        throw new ToolFailure("no station there");
      },
      () => Promise.reject(undefined),
      () => ({
        self: (() => {
          const loop: { me?: unknown } = {};
          loop.me = loop;
          return loop;
        })(),
        big: 10n,
      }),
      () => new Promise(() => {}),
    ];
    // The limit is there for the last of them.
    const tools = ways.map((run, index) =>
      defineTool({
        name: `way_${index}`,
        description: "x",
        timeoutMs: index === ways.length - 1 ? 30 : undefined,
        run,
      }),
    );
    await using world = await openWorld({
      brain: byStep(
        () => calls(...tools.map(({ name }) => name)),
        () => say("Noted."),
      ),
    });
    const result = await read(new Agent({ model: world.model(), tools }), "Go.");
    expect(result).toMatchObject({ stopReason: "finished", text: "Noted." });
    expect(result.contents[2]?.parts.map(({ functionResponse }) => Object.keys(functionResponse!.response)[0])).toEqual(
      ["error", "error", "error", "error", "output", "error"],
    );
  });

  test("an agent inside that fails is data too, and what it had paid for is counted", async () => {
    await using inner = await openWorld({ brain: trip(), faults: [{ at: 3, fault: CATALOGUE.prepaidEmpty }] });
    await using outer = await openWorld({
      brain: byStep(
        () => calls({ name: "helper", args: { task: "Weather?" } }),
        () => say("It did not work."),
      ),
    });
    const helper = new Agent({ model: inner.model(), tools: TOOLS, name: "helper" }).asTool({ description: "Helps." });
    const result = await read(new Agent({ model: outer.model(), tools: [helper] }), "Go.");
    expect(result).toMatchObject({ stopReason: "finished", text: "It did not work.", usage: { requests: 4 } });
    expect(result.contents[2]?.parts[0]?.functionResponse?.response).toEqual({
      error: "helper failed with an internal error",
    });
  });
});
