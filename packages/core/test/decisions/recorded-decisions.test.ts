import { Agent, defineTool, geminiApi, type Guardrails, MemoryStore } from "@pollux/core";
import { checkSession } from "@pollux/core/doctor";
import { decide, yesNo } from "@pollux/core/decisions";
import { call, hangs, runTool, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { answersTo } from "../helpers/answers.ts";
import { deferred } from "../helpers/deferred.ts";
import { Processes } from "../helpers/processes.ts";
import { until } from "../helpers/until.ts";
import { SESSION_FACES } from "../session/session-faces.ts";

/** A service that says yes to everything, and counts. */
function decisions() {
  const state = { asked: 0 };
  const fetch = async (_: string, init: RequestInit): Promise<Response> => {
    state.asked++;
    const { questions } = (await new Response(init.body ?? "").json()) as { questions: Record<string, unknown> };
    const yes = { type: "noul", noul: 0.95, confidence: 0.95 };
    const answers = Object.fromEntries(Object.keys(questions).map((id) => [id, yes]));
    return Response.json({ answers, usage: { total_input_tokens: 1_000_000, total_output_tokens: 0 } });
  };
  const options = { endpoint: geminiApi({ apiKey: "key" }), fetch, prices: { input: 0.1, output: 0 } };
  return { state, options };
}

describe.each(SESSION_FACES)("a decision is not asked for again after a crash, read by %s:", (_face, face) => {
  test("one of a guardrail", async () => {
    const { state, options } = decisions();
    const guardrails: Guardrails = {
      input: [
        {
          name: "spam",
          check: async (run) => {
            const decision = await decide(run.contents, { spam: yesNo("Is it spam?") }, { ...options, run });
            const isSpam = decision.status === "decided" && decision.answers.spam.confidence > 0.99;
            return isSpam ? { stop: "spam" } : { replace: `${run.text} (checked)` };
          },
        },
      ],
    };
    const processes = new Processes(new MemoryStore());
    const process = processes.start();
    const first = new ScriptedModel(hangs());
    void face.send(new Agent({ model: first, guardrails }).session({ id: "s", store: process.store }), "Hi.");
    await until(() => first.requests.length === 1);
    process.die();
    const next = new ScriptedModel(say("Yes."));
    await face.resume(new Agent({ model: next, guardrails }).session({ id: "s", store: processes.start().store }));
    expect(next.requests[0]?.contents).toEqual([{ role: "user", parts: [{ text: "Hi. (checked)" }] }]);
    expect(state.asked).toBe(1);
  });

  test("one about an approval", async () => {
    const { state, options } = decisions();
    const pay = defineTool({
      name: "pay",
      description: "x",
      needsApproval: async (_input, { args }, run) => {
        const decision = await decide(JSON.stringify(args), { fine: yesNo("Is it fine?") }, { ...options, run });
        return decision.status === "blocked" || decision.answers.fine.confidence < 0.99;
      },
      run: () => "paid",
    });
    const store = new MemoryStore();
    const open = () => new Agent({ model: new ScriptedModel(say("Done.")), tools: [pay] }).session({ id: "s", store });
    const asking = new Agent({ model: new ScriptedModel(call("pay")), tools: [pay] }).session({ id: "s", store });
    expect((await face.send(asking, "Pay.")).stopReason).toBe("needs-approval");
    const session = open();
    const result = await face.resume(session, await answersTo(session, { approvals: { "call:1.0": true } }));
    expect([result.text, state.asked]).toEqual(["Done.", 1]);
  });

  test("one inside a call, whose cost counts once", async () => {
    const { state, options } = decisions();
    const decided = deferred();
    const processes = new Processes(new MemoryStore());
    const open = (isFirst: boolean) => {
      const process = processes.start();
      const sort = defineTool({
        name: "sort",
        description: "x",
        run: async (_input, run) => {
          const one = await decide("mail", { spam: yesNo("Spam?") }, { ...options, run });
          const other = await decide("mail", { ham: yesNo("Ham?") }, { ...options, run });
          if (isFirst) {
            process.die();
            decided.resolve();
            await new Promise(() => {});
          }
          return [one.status, other.status === "decided" && other.answers.ham.probability];
        },
      });
      const model = new ScriptedModel(...(isFirst ? [call("sort")] : []), say("Sorted."));
      const agent = new Agent({ model, tools: [sort], prices: { input: 0, output: 0 } });
      return agent.session({ id: "s", store: process.store });
    };
    void face.send(open(true), "Sort.");
    await decided.promise;
    expect(state.asked).toBe(2);
    const session = open(false);
    const result = await face.resume(session);
    expect(result.toolCalls).toMatchObject([{ status: "completed", output: ["decided", 0.95] }]);
    expect([result.text, state.asked]).toEqual(["Sorted.", 2]);
    expect(result.usage.inputTokens).toBeGreaterThan(2_000_000);
    expect(result.cost).toBeCloseTo(0.2, 10);
    // A replay makes no calls, and so does not ask for what they recorded inside.
    expect((await session.replay().result()).text).toBe("Sorted.");
  });
});

test("without a session, a decision inside a call is made each time and counts for the run", async () => {
  const { state, options } = decisions();
  const sort = defineTool({
    name: "sort",
    description: "x",
    run: async (_input, run) => {
      for (const mail of ["a", "b", "b"]) await decide(mail, { spam: yesNo("Spam?") }, { ...options, run });
      return "ok";
    },
  });
  expect(await runTool(sort, {})).toMatchObject({ status: "completed", output: "ok" });
  expect(state.asked).toBe(3);
});

test("a run whose money is limited fails on a decision without a price", async () => {
  const { prices: _, ...options } = decisions().options;
  const sort = defineTool({
    name: "sort",
    description: "x",
    run: async (_input, run) => (await decide("a", { spam: yesNo("Spam?") }, { ...options, run })).cost ?? "unknown",
  });
  const listed = { asOf: "2026-11-23", models: { "gemini-scripted": { input: 1, output: 1 } } };
  const run = (models: object, limits?: { cost: number }) => {
    const prices = { ...listed, models: { ...listed.models, ...models } };
    return new Agent({ model: new ScriptedModel(call("sort"), say("Done.")), tools: [sort], prices, limits }).run("a");
  };
  expect(await run({})).toMatchObject({ toolCalls: [{ output: "unknown" }], unpriced: "gemini-decision-1" });
  await expect(run({}, { cost: 1 })).rejects.toThrow("has no prices for it");
  // The run's own prices, where it is given no others.
  const priced = { "gemini-decision-1": { input: 0.1, output: 0 } };
  expect(await run(priced, { cost: 1 })).toMatchObject({ toolCalls: [{ output: 0.1 }] });
});

test.each(["one after the other", "at once"])(
  "in one call, what was decided about the same input is neither asked nor paid for again: %s",
  async (how) => {
    const { state, options } = decisions();
    const sort = defineTool({
      name: "sort",
      description: "x",
      run: async (_input, run) => {
        const ask = (mail: string) => decide(mail, { spam: yesNo("Spam?") }, { ...options, run });
        if (how === "at once") await Promise.all(["a", "b", "b"].map(ask));
        else for (const mail of ["a", "b", "b"]) await ask(mail);
        return "ok";
      },
    });
    const model = new ScriptedModel(call("sort"), call("sort"), say("Done."));
    const agent = new Agent({ model, tools: [sort], prices: { input: 0, output: 0 } });
    const { cost } = await agent.session({ store: new MemoryStore() }).send("Sort.");
    expect([state.asked, cost]).toEqual([4, expect.closeTo(0.4, 10)]);
  },
);

test("a tool records what it likes, once for each name and call", async () => {
  let worked = 0;
  const sort = defineTool({
    name: "sort",
    description: "x",
    retry: { maxAttempts: 2, minDelayMs: 1 },
    run: async (_input, { step, attempt }) => {
      const picked = await step?.("pick", async () => ++worked);
      if (attempt === 1) throw new Error("down");
      return picked;
    },
  });
  const agent = new Agent({ model: new ScriptedModel(call("sort"), call("sort"), say("Done.")), tools: [sort] });
  const { toolCalls } = await agent.session({ store: new MemoryStore() }).send("Sort.");
  expect(toolCalls.map((one) => one.status === "completed" && one.output)).toEqual([1, 2]);
});

test("what a tool records is its own, whatever it is named and holds", async () => {
  const names = ["approval", "before", "guard", "again.2", "unknown-outcome"];
  const store = new MemoryStore();
  const sort = defineTool({
    name: "sort",
    description: "x",
    run: async (_input, { step }) => {
      for (const name of names)
        await step?.(name, async () => ({ response: 1, steered: { upTo: 9 }, part: 2, after: 3, nested: 4, cost: 5 }));
      return (await store.list())[0]?.cost;
    },
  });
  const agent = new Agent({ model: new ScriptedModel(call("sort"), say("Done.")), tools: [sort] });
  const session = agent.session({ id: "s", store });
  expect(await session.send("Sort.")).toMatchObject({ text: "Done.", toolCalls: [{ output: 0 }] });
  expect((await session.replay().result()).text).toBe("Done.");
  expect(checkSession((await store.load("s")).map((value) => ({ value }))).problems).toEqual([]);
});

test("a decision that failed is not recorded", async () => {
  const { state, options } = decisions();
  let failures = 1;
  const fetch = (url: string, init: RequestInit): Promise<Response> =>
    failures-- > 0
      ? Promise.resolve(Response.json({ error: { code: 403 } }, { status: 403 }))
      : options.fetch(url, init);
  const sort = defineTool({
    name: "sort",
    description: "x",
    run: async (_input, run) => {
      const ask = () => decide("a", { kind: yesNo("Spam?"), more: yesNo("?") }, { ...options, fetch, run });
      return (await ask().catch(ask)).status;
    },
  });
  const agent = new Agent({ model: new ScriptedModel(call("sort"), say("Done.")), tools: [sort] });
  const result = await agent.session({ store: new MemoryStore() }).send("Sort.");
  expect([result.toolCalls[0], state.asked]).toMatchObject([{ output: "decided" }, 1]);
});
