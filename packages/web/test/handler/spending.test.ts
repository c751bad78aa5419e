import { Agent, MemoryStore } from "@pollux/core";
import { call, costs, dies, join, say, ScriptedModel } from "@pollux/core/testing";
import type { SpendingLimit } from "@pollux/web";
import { describe, expect, test, vi } from "vitest";
import { fakeTime } from "../../../core/test/helpers/fake-time.ts";
import {
  allChunks,
  errorOf,
  openPage,
  type Page,
  pay,
  readChunks,
  readUntil,
  restOf,
  SteppedModel,
  textOf,
} from "./chat-page.ts";

/** Each request costs one. */
const prices = { input: 1, output: 0 };
const ONE = costs({ promptTokenCount: 1_000_000, totalTokenCount: 1_000_000 });
const answers = (count: number): ScriptedModel =>
  new ScriptedModel(...Array.from({ length: count }, () => join(say("Yes."), ONE)));

function openShop(
  spending: SpendingLimit,
  model: ScriptedModel | SteppedModel = answers(9),
  store = new MemoryStore(),
): Page {
  return openPage(model, { agent: new Agent({ model, tools: [pay], prices }), spending, store });
}

const REFUSED = { status: 429, code: "spending_limit" };

describe("the spending limit", () => {
  test("counts all conversations of an owner together, and no others", async () => {
    const page = openShop({ maxCost: 2 });
    await allChunks(await page.send("1", { chat: "a" }));
    await allChunks(await page.send("2", { chat: "b" }));
    expect(await errorOf(await page.send("3", { chat: "c" }))).toEqual(REFUSED);
    expect(await page.store.list({ prefix: "ann/c" })).toEqual([]);
    expect(textOf(await allChunks(await page.send("1", { owner: "bob" })))).toBe("Yes.");
  });

  test("counts what other processes have stored", async () => {
    const store = new MemoryStore();
    await allChunks(await openShop({ maxCost: 1 }, answers(1), store).send("1"));
    expect(await errorOf(await openShop({ maxCost: 1 }, answers(1), store).send("2"))).toEqual(REFUSED);
  });

  test("counts what runs that are going have cost", async () => {
    const model = new SteppedModel(join(call("unknown"), ONE), say("Two."));
    const page = openShop({ maxCost: 1 }, model);
    model.say();
    const chunks = readChunks(await page.send("1"));
    for (let next = await chunks.next(); next.value?.type !== "tool-output-error"; next = await chunks.next());
    expect(await errorOf(await page.send("2", { chat: "b" }))).toEqual(REFUSED);
    model.finish();
    await restOf(chunks);
  });

  test("ends a run that has used up what was left", async () => {
    const model = new ScriptedModel(join(call("unknown"), ONE), join(call("unknown"), ONE), join(say("No."), ONE));
    const page = openShop({ maxCost: 1.5 }, model);
    await allChunks(await page.send("1"));
    expect(model.requests).toHaveLength(2);
  });

  test("can be per run as well", async () => {
    const model = new ScriptedModel(join(call("unknown"), ONE), join(call("unknown"), ONE), join(say("No."), ONE));
    const page = openShop({ maxCost: 100, maxCostPerRun: 1 }, model);
    await allChunks(await page.send("1"));
    expect(model.requests).toHaveLength(1);
  });

  test("leaves a run that is resumed what it has spent already", async () => {
    const model = new ScriptedModel(
      join(call("unknown"), ONE),
      join(call("unknown"), ONE),
      join(call("pay", { euros: 5 }), ONE),
      join(say("Paid."), ONE),
    );
    const page = openShop({ maxCost: 4.5 }, model);
    await allChunks(await page.send("Pay"));
    const [, message] = (
      (await (await page.ask("GET", "/c1")).json()) as {
        messages: { metadata: { pending: object[] } }[];
      }
    ).messages;
    const answer = { ...message?.metadata.pending[0], approved: true };
    const chunks = await allChunks(await page.ask("POST", "", { body: { id: "c1", answers: [answer] } }));
    expect(textOf(chunks)).toBe("Paid.");
  });

  test("does not keep an answer that was paid for from being shown once more", async () => {
    const page = openShop({ maxCost: 1 });
    await allChunks(await page.send("1", { id: "m1" }));
    expect(textOf(await allChunks(await page.send("1", { id: "m1" })))).toBe("Yes.");
  });

  test("nor after a later run has used up what was left", async () => {
    const page = openShop({ maxCost: 1.5 }, new ScriptedModel(join(say("Yes."), ONE), join(call("unknown"), ONE)));
    await allChunks(await page.send("1", { id: "m1" }));
    await allChunks(await page.send("2", { id: "m2" }));
    expect(textOf(await allChunks(await page.send("1", { id: "m1" })))).toBe("Yes.");
  });

  test("leaves a run that stopped what it has spent already", async () => {
    const model = new ScriptedModel(join(call("unknown"), ONE), dies(), join(say("Done."), ONE));
    const page = openShop({ maxCost: 2.5 }, model);
    await allChunks(await page.send("1", { id: "m1" }));
    expect(textOf(await allChunks(await page.send("1", { id: "m1" })))).toBe("Done.");
  });

  test("is not got around by deleting conversations", async () => {
    const page = openShop({ maxCost: 2 });
    for (const chat of ["a", "b"]) {
      await allChunks(await page.send("1", { chat }));
      await page.ask("DELETE", `/${chat}`);
    }
    expect(await errorOf(await page.send("3"))).toEqual(REFUSED);
    expect(await (await page.ask("GET", "")).json()).toEqual({ chats: [] });
  });

  test("counts conversations that are deleted at the same time", async () => {
    const page = openShop({ maxCost: 3 });
    const chats = ["a", "b", "c"];
    for (const chat of chats) await allChunks(await page.send("1", { chat }));
    await Promise.all(chats.map((chat) => page.ask("DELETE", `/${chat}`)));
    expect(await page.store.list()).toMatchObject([{ cost: 3 }]);
  });

  test("counts a conversation that is deleted while its run is going", async () => {
    const model = new SteppedModel(join(call("unknown"), ONE), say("Two ", "three."));
    const page = openShop({ maxCost: 5 }, model);
    model.say(2);
    await readUntil(readChunks(await page.send("1")), "Two ");
    await page.ask("DELETE", "/c1");
    expect(await page.store.list()).toMatchObject([{ id: "pollux:deleted/ann", owner: "ann", cost: 1 }]);
  });

  test("reads lists of any length", async () => {
    const page = openShop({ maxCost: 600 });
    for (let index = 0; index < 600; index++) {
      const info = {
        owner: "ann",
        state: "idle",
        createdAt: 0,
        messages: 1,
        turns: 1,
        totalTokens: 1,
        cost: 1,
      } as const;
      await page.store.append(`ann/${index}`, 0, [{ type: "info", at: 0 }], { info });
    }
    expect(await errorOf(await page.send("1", { chat: "new" }))).toEqual(REFUSED);
  });

  describe("within a window of time", () => {
    fakeTime("stands");

    test("forgets what was not written to since, deleted or not", async () => {
      const page = openShop({ maxCost: 2, windowMs: 60_000 });
      await allChunks(await page.send("1", { chat: "a" }));
      await allChunks(await page.send("2", { chat: "b" }));
      await page.ask("DELETE", "/b");
      expect(await errorOf(await page.send("3", { chat: "c" }))).toEqual(REFUSED);
      await vi.advanceTimersByTimeAsync(60_001);
      expect(textOf(await allChunks(await page.send("3", { chat: "c" })))).toBe("Yes.");
    });
  });
});
