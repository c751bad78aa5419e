import { Agent } from "@pollux/core";
import { join, costs, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { allChunks, openPage, readChunks, readUntil, SteppedModel, textOf } from "./chat-page.ts";

const NOTHING = { sessions: 0, drafts: 0, notes: 0, exchanges: 0, stoppedRuns: 0, deletedConversations: 0 };

describe("erasing an owner", () => {
  test("removes their conversations and what deleted ones had cost; what others have stays", async () => {
    const answer = join(say("Hello."), costs({ promptTokenCount: 1_000_000, totalTokenCount: 1_000_000 }));
    const agent = new Agent({
      model: new ScriptedModel(...Array.from({ length: 5 }, () => answer)),
      prices: { input: 1, output: 0 },
    });
    const page = openPage(undefined, { agent, spending: { maxCost: 10 } });
    for (const [owner, chat] of [
      ["ann", "c1"],
      ["ann", "c2"],
      ["anna", "c1"],
      ["anna", "c2"],
    ] as const)
      await allChunks(await page.send("Hi", { owner, chat }));
    for (const owner of ["ann", "anna"]) await page.ask("DELETE", "/c1", { owner });
    const also = async (): Promise<{ readonly pictures: number }> => ({ pictures: 2 });
    expect(await page.handler.erase("ann", { also })).toEqual({
      ...NOTHING,
      sessions: 1,
      deletedConversations: 1,
      pictures: 2,
    });
    expect((await page.store.list()).map(({ id }) => id).toSorted()).toEqual(["anna/c2", "pollux:deleted/anna"]);
    expect(await page.handler.erase("ann")).toEqual(NOTHING);
  });

  test("stops their runs and those that wait for one; the same conversation can begin anew", async () => {
    const model = new SteppedModel(say("One ", "two."), say("Three."), say("New."));
    const page = openPage(model, { whileRunning: "wait" });
    model.say();
    const chunks = readChunks(await page.send("Count"));
    await readUntil(chunks, "One ");
    const waiting = readChunks(await page.send("Go on"));
    void waiting.next().catch(() => {});
    const erased = await page.handler.erase("ann");
    expect(erased).toMatchObject({ sessions: 1, stoppedRuns: 2 });
    model.finish();
    expect(await page.store.list()).toEqual([]);
    void chunks.return();
    const answer = await allChunks(await page.send("Hello again"));
    expect(textOf(answer)).toBe("Three.");
    const { messages } = (await (await page.ask("GET", "/c1")).json()) as { messages: object[] };
    expect(messages).toHaveLength(2);
  });

  test("needs an owner", async () => {
    await expect(openPage().handler.erase("")).rejects.toThrow(TypeError);
  });
});
