import { Agent, defineTool, MemoryStore } from "@pollux/core";
import { call, fails, say, ScriptedModel } from "@pollux/core/testing";
import { agUi } from "@pollux/web/ag-ui";
import { describe, expect, test } from "vitest";
import { Processes } from "../../../core/test/helpers/processes.ts";
import {
  allChunks,
  errorOf,
  openPage,
  type Page,
  readChunks,
  readUntil,
  restOf,
  SteppedModel,
  textOf,
} from "./chat-page.ts";

const work = defineTool({ name: "work", description: "Works.", run: () => "done" });

/** What a page has that continues a run and follows it. */
async function continued(page: Page): Promise<string> {
  const response = await page.ask("POST", "/c1/continue");
  expect([response.status, await response.json()]).toEqual([200, { continued: true }]);
  return textOf(await allChunks(await page.ask("GET", "/c1/stream?ended")));
}

async function text(page: Page): Promise<string> {
  const { messages } = (await (await page.ask("GET", "/c1")).json()) as {
    messages: { parts: { type: string; text?: string }[] }[];
  };
  return (messages.at(-1)?.parts ?? []).map((part) => (part.type === "text" ? part.text : "")).join("");
}

describe("continuing", () => {
  test("resumes a run that was stopped", async () => {
    const model = new SteppedModel(say("One ", "two."), say("One, two, three."));
    const page = openPage(model);
    model.say();
    const chunks = readChunks(await page.send("Count"));
    await readUntil(chunks, "One ");
    await page.ask("POST", "/c1/stop");
    await restOf(chunks);
    model.finish();
    expect(await continued(page)).toBe("One, two, three.");
    expect(await text(page)).toBe("One, two, three.");
    expect(model.requests).toHaveLength(2);
  });

  test("resumes a run that failed, without repeating what is finished", async () => {
    let runs = 0;
    const counted = defineTool({ name: "work", description: "Works.", run: () => `done ${++runs}` });
    const model = new ScriptedModel(call("work"), fails(new Error("away")), say("Done."));
    const page = openPage(undefined, { agent: new Agent({ model, tools: [counted] }) });
    await allChunks(await page.send("Work"));
    expect(await continued(page)).toBe("Done.");
    expect(runs).toBe(1);
  });

  test.each([
    ["turns", { turns: 2 }],
    ["toolCalls", { toolCalls: 2 }],
    ["totalTokens", { totalTokens: 1 }],
  ])("lets a run that reached its limit of %s use as much again", async (_name, limits) => {
    const model = new ScriptedModel(call("work"), call("work"), call("work"), say("Done."));
    const page = openPage(undefined, { agent: new Agent({ model, tools: [work], limits }) });
    await allChunks(await page.send("Work"));
    const before = model.requests.length;
    await continued(page);
    expect(model.requests.length).toBeGreaterThan(before);
    expect(model.requests.length).toBeLessThanOrEqual(2 * before);
  });

  test("resumes a run whose process has died, where following it does not", async () => {
    const processes = new Processes(new MemoryStore());
    const first = processes.start();
    const dying = new SteppedModel(say("One ", "two."));
    dying.say();
    const chunks = readChunks(await openPage(dying, { store: first.store }).send("Count"));
    await readUntil(chunks, "One ");
    first.die();
    void chunks.return();
    const later = openPage(new ScriptedModel(say("One two.")), {
      store: processes.start().store,
      resumeCutOff: false,
    });
    expect(await continued(later)).toBe("One two.");
  });

  test("leaves the run to the platform, whatever a client that disconnects does to others", async () => {
    const model = new SteppedModel(fails(new Error("away")), say("One ", "two."));
    const page = openPage(model, { onDisconnect: "abort" });
    await allChunks(await page.send("Count"));
    const works: Promise<unknown>[] = [];
    expect((await page.ask("POST", "/c1/continue", { waitUntil: (one) => void works.push(one) })).status).toBe(200);
    model.finish();
    await Promise.all(works);
    expect(works).toHaveLength(1);
    expect(await text(page)).toBe("One two.");
  });

  test("is refused like a message when the owner has nothing left to spend", async () => {
    const prices = { input: 1, output: 0 };
    const agent = new Agent({
      model: new ScriptedModel(call("work"), say("Done.")),
      tools: [work],
      limits: { turns: 1 },
      prices,
    });
    const page = openPage(undefined, { agent, spending: { maxCost: 0.000_001 } });
    await allChunks(await page.send("Work"));
    expect(await errorOf(await page.ask("POST", "/c1/continue"))).toEqual({ status: 429, code: "spending_limit" });
  });

  test("does nothing when no run can be resumed", async () => {
    const answer = async (page: Page): Promise<unknown> => await (await page.ask("POST", "/c1/continue")).json();
    const over = openPage();
    await allChunks(await over.send("Hi"));
    expect(await answer(over)).toEqual({ continued: false });

    const waiting = openPage(new ScriptedModel(call("pay", { euros: 5 })));
    await allChunks(await waiting.send("Pay"));
    expect(await answer(waiting)).toEqual({ continued: false });

    const model = new SteppedModel(say("One ", "two."));
    const going = openPage(model);
    model.say();
    const chunks = readChunks(await going.send("Count"));
    await readUntil(chunks, "One ");
    expect(await answer(going)).toEqual({ continued: false });
    model.finish();
    expect(textOf(await restOf(chunks))).toBe("two.");
    expect(await errorOf(await openPage().ask("POST", "/c1/continue"))).toEqual({ status: 404, code: "not_found" });
  });

  test("is the same in AG-UI", async () => {
    const model = new ScriptedModel(fails(new Error("away")), say("Here it is."));
    const page = openPage(model, { protocol: agUi() });
    const messages = [{ id: "m1", role: "user", content: "Find it" }];
    const body = { threadId: "c1", runId: "r1", state: {}, messages, tools: [], context: [], forwardedProps: {} };
    await (await page.ask("POST", "", { body })).text();
    expect(await (await page.ask("POST", "/c1/continue")).json()).toEqual({ continued: true });
    expect(await (await page.ask("GET", "/c1/stream")).text()).toContain("Here it is.");
  });
});
