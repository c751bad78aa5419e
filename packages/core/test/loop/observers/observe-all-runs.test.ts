import { Agent, type AgentOptions, MemoryStore } from "@pollux/core";
import { observeAllRuns } from "@pollux/core/observers";
import { assertObservations, call, hangs, say, ScriptedModel } from "@pollux/core/testing";
import { afterEach, describe, expect, test, vi } from "vitest";
import { faces } from "../../helpers/faces.ts";
import { idle } from "../../helpers/fake-time.ts";
import { drawTrace, record } from "../../helpers/observations.ts";

const ends: (() => void)[] = [];
const all = (...[observer]: Parameters<typeof observeAllRuns>): (() => void) => {
  const end = observeAllRuns(observer);
  ends.push(end);
  return end;
};

afterEach(() => {
  for (const end of ends.splice(0)) end();
});

const agentOf = (name: string, ...options: Partial<AgentOptions>[]): Agent =>
  new Agent(Object.assign({ name, model: new ScriptedModel(say("Hi."), say("Hi.")) }, ...options));

describe.each(faces)("an observer of all runs, by %s", (_face, read) => {
  test("sees those of all agents, made before or after, until it is ended", async () => {
    const observer = record();
    const early = agentOf("early");
    const end = all(observer);
    const late = agentOf("late");
    await read(early, "Go.");
    await read(late, "Go.");
    await late.session({ id: "s", store: new MemoryStore() }).send("Go.");
    end();
    await read(early, "Go.");
    assertObservations(observer.observations);
    expect(drawTrace(observer.observations)).toEqual([
      "run early: finished",
      "  model:1: STOP 15",
      "run late: finished",
      "  model:1: STOP 15",
      "run late: finished",
      "  model:1: STOP 15",
    ]);
  });

  test("sees a run before the agent's own observers, and encloses their around", async () => {
    const log: string[] = [];
    const named = (name: string): Parameters<typeof observeAllRuns>[0] => ({
      observe: ({ type }) => void (type === "run-start" && log.push(name)),
      around: (_, next) => {
        log.push(`${name} around`);
        return next();
      },
    });
    const agent = agentOf("agent", { observers: [named("own")] });
    all(named("all"));
    await read(agent, "Go.");
    expect(log).toEqual(["all", "own", "all around", "own around"]);
  });

  test("is called once, also when it is the agent's own or was added twice, until each addition is ended", async () => {
    const observer = record();
    const agent = agentOf("agent", { observers: [observer] });
    const [first] = [all(observer), all(observer)];
    await read(agent, "Go.");
    assertObservations(observer.observations);
    first();
    first();
    observer.observations.length = 0;
    await read(agentOf("other"), "Go.");
    expect(drawTrace(observer.observations)).toEqual(["run other: finished", "  model:1: STOP 15"]);
  });

  test("sees a run that is in progress to its end", async () => {
    const observer = record();
    const end = all(observer);
    const abort = new AbortController();
    const agent = new Agent({ model: new ScriptedModel(call("none"), hangs("It")) });
    const running = read(agent, "Go.", { signal: abort.signal });
    await idle();
    end();
    abort.abort(new Error("enough"));
    await expect(running).rejects.toThrow("enough");
    assertObservations(observer.observations);
    expect(observer.observations.at(-1)).toMatchObject({ type: "run-end", ended: "aborted" });
  });
});

test("an observer of all runs is shared by copies of the package", async () => {
  const observer = record();
  all(observer);
  vi.resetModules();
  const copy = await import("../../../src/agent/agent.ts");
  expect(copy.Agent).not.toBe(Agent);
  await new copy.Agent({ model: new ScriptedModel(say("Hi.")) }).run("Go.");
  expect(drawTrace(observer.observations)).toEqual(["run agent: finished", "  model:1: STOP 15"]);
});
