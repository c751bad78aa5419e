import { Agent, defineTool, MemoryStore } from "@pollux/core";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { type Chromium, openChromium } from "../../../../test/runtimes/support/chromium.ts";
import type { InspectorOptions } from "../../src/server/inspector-handler.ts";
import { add, foldOf, pay } from "../support/sessions.ts";
import { InspectorTab } from "./support/inspector-tab.ts";
import { type BuiltPage, builtPage } from "./support/served-inspector.ts";

let browser: Chromium;
let page: BuiltPage;
beforeAll(async () => {
  [browser, page] = await Promise.all([openChromium(), builtPage()]);
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
});

async function opened(options: Omit<InspectorOptions, "authorize">, hash: string, width?: number) {
  const served = await page.serve(options);
  const tab = await InspectorTab.open(browser, served.url + hash, width);
  return {
    tab,
    [Symbol.asyncDispose]: async () => {
      await tab.close();
      await served[Symbol.asyncDispose]();
    },
  };
}

test("a message with other instructions is answered, its call approved, and the session stays in the address", async () => {
  const store = new MemoryStore();
  const model = new ScriptedModel(call("pay", { amount: 3 }), say("Paid three."));
  const helper = new Agent({ model, name: "helper", instructions: "You help.", tools: [add, pay] });
  const prices = { input: 1, output: 1 };
  await using open = await opened({ store, allowActions: true, agents: { helper }, prices }, "#/play");
  const { tab } = open;
  await tab.sees("each message costs money");
  expect(model.requests).toEqual([]);
  await tab.fill("Instructions", "You pay.");
  await tab.sees('instructions: "You pay."');
  await tab.fill("Message", "Pay 3");
  await tab.click("button", "Send (costs money)");
  await tab.sees("pay needs approval");
  expect(await tab.hash()).toMatch(/^#\/play\/helper\/play-[\da-f]{8}$/);
  await tab.click("button", "Approve");
  await tab.sees("Paid three.");
  await tab.sees("cost 0.000015", ".played h3");
  expect(model.requests.map(({ instructions }) => instructions)).toEqual(["You pay.", "You pay."]);
  const [session] = await store.list();
  expect((await foldOf(store, session?.id ?? "")).runs).toHaveLength(1);
  expect(await tab.seriousFindings()).toEqual([]);
  await tab.clickText("a", "Inspect play-");
  await tab.sees("Timeline");
  await tab.click("link", "Play");
});

test("without a key the page says that the emulator answers, and sends nothing before a click", async () => {
  const store = new MemoryStore();
  const helper = new Agent({ model: "gemini-flash-latest", name: "helper" });
  const options = { store, allowActions: true, agents: { helper }, answers: "emulator" } as const;
  await using open = await opened(options, "#/play", 390);
  const { tab } = open;
  await tab.sees("The local emulator answers, without a key, a model or costs.");
  await tab.fill("Session id", "mine");
  await tab.fill("Message", "Hello");
  expect(await store.list()).toEqual([]);
  await tab.click("button", "Send");
  await tab.sees("no model wrote this");
  expect((await store.list()).map(({ id }) => id)).toEqual(["mine"]);
  expect(await tab.evaluate("document.documentElement.scrollWidth <= 390")).toBe(true);
});

test("reloaded agents are shown as their code defines them now, without changes", async () => {
  const agentOf = (instructions: string) => new Agent({ model: new ScriptedModel(), name: "helper", instructions });
  const reloadAgents = async () => ({ helper: agentOf("You help a lot.") });
  const options = {
    store: new MemoryStore(),
    allowActions: true,
    agents: { helper: agentOf("You help.") },
    reloadAgents,
  };
  await using open = await opened(options, "#/play");
  const { tab } = open;
  await tab.sees("// No changes yet.");
  await tab.click("button", "Reload agents");
  await tab.until(`[...document.querySelectorAll("textarea")].some(({ value }) => value === "You help a lot.")`);
  await tab.sees("// No changes yet.");
});

test("a tool runs by hand with a form, and one with effects after a second click", async () => {
  const runs: unknown[] = [];
  const book = defineTool({
    name: "book",
    description: "Books a table",
    input: z.object({
      guests: z.number().int(),
      where: z.enum(["inside", "outside"]),
      notes: z.array(z.string()).optional(),
      by: z.object({ name: z.string() }),
    }),
    run: (input) => {
      runs.push(input);
      return { booked: true };
    },
  });
  const helper = new Agent({ model: new ScriptedModel(), name: "helper", tools: [book] });
  await using open = await opened({ store: new MemoryStore(), allowActions: true, agents: { helper } }, "#/play");
  const { tab } = open;
  await tab.clickText("summary", "book");
  await tab.fill("guests", "4");
  await tab.fill("where", "1");
  await tab.click("button", "Add to notes (optional)");
  await tab.fill("notes (optional) 1", "by the window");
  await tab.fill("name", "Ann");
  await tab.click("button", "Run book…");
  await tab.sees("It may have effects");
  expect(runs).toEqual([]);
  await tab.click("button", "Yes, run book");
  await tab.sees("completed in");
  await tab.sees('"booked": true', "[aria-label='Result of book']");
  expect(runs).toEqual([{ guests: 4, where: "outside", notes: ["by the window"], by: { name: "Ann" } }]);
  await tab.fill("guests", "1.5");
  await tab.click("button", "Run book…");
  await tab.click("button", "Yes, run book");
  await tab.sees("bad-input");
  expect(runs).toHaveLength(1);
  expect(await tab.seriousFindings()).toEqual([]);
});

test("is missing without permission", async () => {
  const helper = new Agent({ model: new ScriptedModel(), name: "helper" });
  await using open = await opened({ store: new MemoryStore(), agents: { helper } }, "#/");
  await open.tab.sees("Sessions");
  expect(await open.tab.texts("nav.pages a")).not.toContain("Play");
});
