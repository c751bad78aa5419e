import { Agent, handoff, MemoryStore, type SessionStore } from "@pollux/core";
import { call, say, ScriptedModel, type ScriptLine } from "@pollux/core/testing";
import { agUi } from "@pollux/web/ag-ui";
import { describe, expect, test } from "vitest";
import { allChunks, openPage, type Page, textOf } from "./chat-page.ts";

/** A handler of a process of its own. */
function openTeam(store: SessionStore, desk: readonly ScriptLine[], billing: readonly ScriptLine[], given = {}): Page {
  const expert = new Agent({ name: "billing", model: new ScriptedModel(...billing) });
  const agent = new Agent({ name: "desk", model: new ScriptedModel(...desk), tools: [handoff(expert)] });
  return openPage(undefined, { agent, store, ...given });
}

interface Shown {
  readonly messages: readonly {
    readonly role: string;
    readonly metadata?: { readonly agent?: string };
    readonly parts: readonly { readonly type: string; readonly data?: unknown }[];
  }[];
}

describe("a chat that is handed over", () => {
  test("is answered by who took over, also by the handler of another process, and pages are told who speaks", async () => {
    const store = new MemoryStore();
    const first = openTeam(store, [call("transfer_to_billing")], [say("Billing here.")]);
    const chunks = await allChunks(await first.send("What do I owe?"));
    expect(textOf(chunks)).toBe("Billing here.");
    expect(chunks.find(({ type }) => type === "start")).toMatchObject({ messageMetadata: { agent: "desk" } });
    expect(chunks.find(({ type }) => type === "data-handoff")).toMatchObject({ data: { agent: "billing" } });

    const second = openTeam(store, [], [say("Still billing.")]);
    const next = await allChunks(await second.send("And now?"));
    expect(textOf(next)).toBe("Still billing.");
    expect(next.find(({ type }) => type === "start")).toMatchObject({ messageMetadata: { agent: "billing" } });

    const { messages } = (await (await second.ask("GET", "/c1")).json()) as Shown;
    expect(messages.flatMap(({ role, metadata }) => (role === "assistant" ? metadata?.agent : []))).toEqual([
      "desk",
      "billing",
    ]);
    const handed = messages.flatMap(({ parts }) => parts.filter(({ type }) => type === "data-handoff"));
    expect(handed.map(({ data }) => data)).toEqual([{ agent: "billing" }]);
  });

  test("is answered by an agent that the program put in charge, if the handler takes it", async () => {
    const store = new MemoryStore();
    const night = new Agent({ name: "night", model: new ScriptedModel(say("Closed."), say("Still closed.")) });
    const desk = new Agent({ name: "desk", model: new ScriptedModel(say("Open."), say("Open again.")) });
    const page = openPage(undefined, { agent: desk, agents: [night], store });
    expect(textOf(await allChunks(await page.send("Hi.")))).toBe("Open.");
    const [stored] = await store.list();
    await desk
      .session({ id: stored?.id ?? "", store, owner: stored?.owner })
      .as(night)
      .send("It is late.");
    const chunks = await allChunks(await page.send("And now?"));
    expect(textOf(chunks)).toBe("Still closed.");
    expect(chunks.find(({ type }) => type === "start")).toMatchObject({ messageMetadata: { agent: "night" } });
  });

  test("is an activity in AG-UI", async () => {
    const page = openTeam(new MemoryStore(), [call("transfer_to_billing")], [say("Here.")], { protocol: agUi() });
    const message = { id: "m1", role: "user", content: "What do I owe?" };
    const input = { threadId: "c1", runId: "r1", messages: [message], tools: [], context: [], state: {} };
    const text = await (await page.ask("POST", "", { body: input })).text();
    expect(text).toContain('"activityType":"pollux.handoff","content":{"agent":"billing"}');
  });
});
