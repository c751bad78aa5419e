import { Agent, defineTool, type JsonObject, MemoryStore, type ToolContext } from "@pollux/core";
import { call, calls, say, ScriptedModel, type ScriptLine } from "@pollux/core/testing";
import { type Operator, operatorHandler, type OperatorHandlerOptions } from "@pollux/web";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { deferred } from "../../../core/test/helpers/deferred.ts";
import { allChunks, errorOf, openPage, ORIGIN, type Page, readChunks, restOf, textOf } from "./chat-page.ts";

const done: JsonObject[] = [];
const refund = defineTool({
  name: "refund",
  description: "Refunds an order.",
  input: z.object({ euros: z.number(), order: z.string() }),
  needsApproval: true,
  approvedBy: "support",
  editable: ["euros"],
  effects: "once",
  run: (input) => (done.push(input), "refunded"),
});
const fire = defineTool({
  name: "fire",
  description: "Fires.",
  needsApproval: true,
  approvedBy: "boss",
  run: () => "fired",
});
const unsaid = defineTool({ name: "unsaid", description: "Says nothing.", needsApproval: true, run: () => "done" });
const backOffice = defineTool({ name: "back_office", description: "Asks the back office.", approvedBy: "support" });
const tools = [refund, fire, unsaid, backOffice];

type Made = readonly [name: string, args?: JsonObject];
const REFUND: Made = ["refund", { euros: 40, order: "A17" }];

interface Listed {
  readonly calls: readonly { readonly session: string; readonly token: string; readonly tool: string }[];
  readonly next?: string;
}

interface Desk extends Page {
  readonly model: ScriptedModel;
  /** A request of an operator. */
  operate(method: string, path: string, body?: unknown, headers?: object): Promise<Response>;
  list(query?: string): Promise<Listed>;
  /** Answers the first call that waits. */
  answer(given: object): Promise<Response>;
}

/** A page, and an operator who answers by the store only, as another process would. */
async function openDesk(
  made: readonly Made[],
  { operator = { by: "olga", approvedBy: ["support"] }, script = [say("Well.")], ...options }: DeskOptions = {},
): Promise<Desk> {
  done.length = 0;
  const model = new ScriptedModel(calls(...made.map(([name, args = {}]) => ({ name, args }))), ...script);
  const store = new MemoryStore();
  const agent = new Agent({ model, tools });
  const page = openPage(model, { agent, store });
  await allChunks(await page.send("Please.", { id: "m1" }));
  const handler = operatorHandler({
    agent,
    store,
    authorize: () => operator,
    logger: { error: (facts) => void (page.lines as object[]).push(facts) },
    ...options,
  });
  const operate: Desk["operate"] = async (method, path, body, headers = {}) =>
    await handler(
      new Request(`${ORIGIN}/api/operator${path}`, {
        method,
        headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
    );
  const list = async (query = ""): Promise<Listed> => (await (await operate("GET", query)).json()) as Listed;
  return {
    ...page,
    model,
    operate,
    list,
    answer: async (given) => {
      const [{ session, token } = { session: "ann/c1", token: "none" }] = (await list()).calls;
      return await operate("POST", "/answers", { session, answers: [{ token, ...given }] });
    },
  };
}

type DeskOptions = Partial<OperatorHandlerOptions> & {
  readonly operator?: Operator;
  readonly script?: readonly ScriptLine[];
};

const stateOf = async (page: Page): Promise<unknown> =>
  ((await (await page.ask("GET", "/c1")).json()) as { readonly state: unknown }).state;

describe("an operator", () => {
  test("sees what waits for her over all sessions, with all that there is to know", async () => {
    const desk = await openDesk([REFUND, ["fire"], ["unsaid"], ["back_office", { n: 1 }]]);
    const shared = { session: "ann/c1", owner: "ann", title: "Please.", askedAt: expect.any(Number) as number };
    const { calls: waiting, next } = await desk.list();
    expect(waiting).toMatchObject([
      {
        ...shared,
        tool: "refund",
        args: { euros: 40, order: "A17" },
        question: "approval",
        approvedBy: "support",
        editable: ["euros"],
        token: expect.any(String) as string,
      },
      { ...shared, tool: "unsaid", args: {}, question: "approval" },
      { ...shared, tool: "back_office", args: { n: 1 }, question: "outcome", approvedBy: "support" },
    ]);
    expect(next).toBeUndefined();
  });

  test("without names answers for all", async () => {
    const desk = await openDesk([["fire"]], { operator: { by: "root" } });
    expect((await desk.answer({ approved: true })).status).toBe(200);
    await expect.poll(() => stateOf(desk)).toBe("idle");
  });

  test("sees them page by page, and those of one owner", async () => {
    const desk = await openDesk([REFUND], { script: [] });
    const model = new ScriptedModel(
      ...Array.from({ length: 2 }, () => calls({ name: "refund", args: REFUND[1] ?? {} })),
    );
    const others = openPage(model, { agent: new Agent({ model, tools }), store: desk.store });
    for (const owner of ["ben", "cas"]) await allChunks(await others.send("Please.", { owner }));
    const seen: string[] = [];
    let after = "";
    for (;;) {
      const { calls: waiting, next } = await desk.list(`?limit=1${after}`);
      seen.push(...waiting.map(({ session }) => session));
      if (next === undefined) break;
      after = `&after=${encodeURIComponent(next)}`;
    }
    expect(seen).toEqual(["ann/c1", "ben/c1", "cas/c1"]);
    expect((await desk.list("?owner=ben")).calls).toMatchObject([{ session: "ben/c1" }]);
    expect(await errorOf(await desk.operate("GET", "?limit=0"))).toEqual({ status: 400, code: "bad_limit" });
  });

  test("is told of sessions that can't be read", async () => {
    const desk = await openDesk([REFUND]);
    const info = {
      title: "Broken",
      owner: "ann",
      state: "waiting",
      createdAt: 0,
      messages: 0,
      turns: 0,
      totalTokens: 0,
    };
    await desk.store.append("ann/c2", 0, [{ v: 1, type: "run", at: 0 }] as never, {
      info: { ...info, cost: 0 } as never,
    });
    expect(await desk.list()).toMatchObject({ calls: [{ session: "ann/c1" }], damaged: ["ann/c2"] });
  });

  test("approves, and the run goes on whether anybody looks or not; a page that follows sees it", async () => {
    const desk = await openDesk([REFUND]);
    const following = readChunks(await desk.ask("GET", "/c1/stream?waiting"));
    const response = await desk.answer({ approved: true });
    expect(await response.json()).toEqual({ answered: 1 });
    expect(textOf(await restOf(following))).toBe("Well.");
    expect(done).toEqual([{ euros: 40, order: "A17" }]);
    const log = JSON.stringify(await desk.store.load("ann/c1"));
    expect(log).toContain('"by":"olga"');
    expect((await desk.list()).calls).toEqual([]);
  });

  test.each([
    ["denies with a reason", REFUND, { approved: false, reason: "too late" }, "too late"],
    ["gives an outcome", ["back_office"], { output: "granted" }, "granted"],
    ["says why there is no outcome", ["back_office"], { errorText: "closed today" }, "closed today"],
  ] as const)("%s", async (_what, made, given, told) => {
    const desk = await openDesk([made as Made]);
    expect((await desk.answer(given)).status).toBe(200);
    await expect.poll(() => stateOf(desk)).toBe("idle");
    expect(JSON.stringify(desk.model.requests[1]?.contents.at(-1))).toContain(told);
    expect(done).toEqual([]);
  });

  test.each(["olga", "ann"])("whose name is %s does not show the page of ann why there is no outcome", async (by) => {
    const desk = await openDesk([["back_office"]], { operator: { by } });
    const page = readChunks(await desk.ask("GET", "/c1/stream?waiting"));
    expect((await desk.answer({ errorText: "ann is a cheat" })).status).toBe(200);
    const shown = JSON.stringify(await restOf(page));
    expect(shown).toContain('"finishReason":"stop"');
    const loaded = await (await desk.ask("GET", "/c1")).text();
    const elsewhere = openPage(desk.model, { store: desk.store });
    for (const text of [shown, loaded, await (await elsewhere.ask("GET", "/c1")).text()]) {
      expect(text).toContain("The tool failed.");
      expect(text).not.toContain("cheat");
    }
    expect(JSON.stringify(desk.model.requests[1]?.contents.at(-1))).toContain("ann is a cheat");
  });

  test("edits what the tool lets an approval change, as far as its schema accepts it", async () => {
    const desk = await openDesk([REFUND]);
    const invalid = { status: 422, code: "invalid_approval" };
    expect(await errorOf(await desk.answer({ args: { euros: "much", order: "A17" } }))).toEqual(invalid);
    expect(await errorOf(await desk.answer({ args: { euros: 40, order: "B1" } }))).toEqual(invalid);
    expect(await stateOf(desk)).toBe("waiting");
    await desk.answer({ args: { euros: 15, order: "A17" } });
    await expect.poll(() => done).toEqual([{ euros: 15, order: "A17" }]);
  });

  test("does not answer for another approver", async () => {
    const desk = await openDesk([["fire"]]);
    const owner = await openDesk([["fire"]], { operator: { by: "root" } });
    expect((await desk.list()).calls).toEqual([]);
    const [{ token } = { token: "" }] = (await owner.list()).calls;
    const session = new Agent({ model: desk.model, tools }).session({ id: "ann/c1", store: desk.store });
    const [{ token: own } = { token }] = (await session.state()).pending;
    const body = { session: "ann/c1", answers: [{ token: own, approved: true }] };
    expect(await errorOf(await desk.operate("POST", "/answers", body))).toEqual({ status: 403, code: "not_yours" });
    expect(await stateOf(desk)).toBe("waiting");
  });

  test("gets 503 from a process that ends, before anything is stored; the run that goes on here may end", async () => {
    const [started, gate] = [deferred(), deferred()];
    const slow = defineTool({
      name: "slow",
      description: "Takes its time.",
      needsApproval: true,
      run: async () => (started.resolve(), await gate.promise, "done"),
    });
    const model = new ScriptedModel(call("slow"), call("slow"), say("Well."));
    const store = new MemoryStore();
    const agent = new Agent({ model, tools: [slow] });
    const [first, second] = [agent.session({ id: "ann/c1", store }), agent.session({ id: "ann/c2", store })];
    await first.send("Please.");
    await second.send("Please.");
    const handler = operatorHandler({ agent, store, authorize: () => ({ by: "olga" }) });
    const approve = async (session: typeof first): Promise<Response> => {
      const [{ token } = { token: "" }] = (await session.state()).pending;
      const body = JSON.stringify({ session: session.id, answers: [{ token, approved: true }] });
      const headers = { "content-type": "application/json" };
      return await handler(new Request(`${ORIGIN}/api/operator/answers`, { method: "POST", headers, body }));
    };
    expect((await approve(first)).status).toBe(200);
    await started.promise;
    const drained = handler.drain({ finishMs: 60_000, timeoutMs: 60_000 });
    expect(await errorOf(await approve(second))).toEqual({ status: 503, code: "draining" });
    expect((await second.state()).pending).toHaveLength(1);
    gate.resolve();
    expect(await drained).toEqual({ ended: 1, released: 0 });
    expect((await first.state()).lastRun).toBe("finished");
  });

  test("who is late is told why, and changes nothing", async () => {
    const desk = await openDesk([REFUND]);
    const [{ token, session } = { token: "", session: "" }] = (await desk.list()).calls;
    const late = async (): Promise<unknown> =>
      await (await desk.operate("POST", "/answers", { session, answers: [{ token, approved: true }] })).json();
    expect((await desk.ask("POST", "/c1/withdraw")).status).toBe(200);
    expect(await late()).toMatchObject({
      error: { code: "answered", message: expect.stringContaining("withdrawn") as string },
    });
    await expect.poll(() => stateOf(desk)).toBe("idle");
    expect(await late()).toMatchObject({ error: { code: "answered" } });
    expect(done).toEqual([]);
    expect(desk.lines).toEqual([]);
  });

  test("who is late does not learn what others are asked", async () => {
    const desk = await openDesk([REFUND, ["fire"]]);
    for (const token of ["none", "__proto__"]) {
      const body = { session: "ann/c1", answers: [{ token, approved: true }] };
      const text = await (await desk.operate("POST", "/answers", body)).text();
      expect(text).toContain("answered");
      expect(text).not.toContain("fire");
    }
  });

  test("of two answers to one call gives one", async () => {
    const desk = await openDesk([REFUND]);
    const both = await Promise.all([desk.answer({ approved: true }), desk.answer({ approved: false })]);
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    await expect.poll(() => stateOf(desk)).toBe("idle");
    expect(done).toHaveLength(both[0].status === 200 ? 1 : 0);
  });

  test("answers what one customer asks again and again: only the question that she was shown", async () => {
    const desk = await openDesk([REFUND], { script: [calls({ name: "refund", args: { euros: 9000, order: "A17" } })] });
    const [{ token, session } = { token: "", session: "" }] = (await desk.list()).calls;
    const model = desk.model;
    const closing = openPage(model, { agent: new Agent({ model, tools }), store: desk.store, unfinished: "close" });
    await allChunks(await closing.send("No, 9000!", { id: "m2" }));
    const body = { session, answers: [{ token, approved: true }] };
    expect(await errorOf(await desk.operate("POST", "/answers", body))).toEqual({ status: 409, code: "answered" });
    expect(done).toEqual([]);
    expect(await stateOf(desk)).toBe("waiting");
  });

  test("whose answer cannot go on without a context has not given it", async () => {
    const context = (): never => {
      throw new Error("the directory is down");
    };
    const desk = await openDesk([REFUND], { context });
    expect((await desk.answer({ approved: true })).status).toBe(500);
    expect((await desk.list()).calls).toHaveLength(1);
  });

  test("gives the run that goes on the context of its session", async () => {
    const told = deferred<string>();
    const tell = defineTool({
      name: "tell",
      description: "Tells.",
      input: z.object({}),
      needsApproval: true,
      run: (_, { context }: ToolContext<{ readonly customer: string }>) => (told.resolve(context.customer), "told"),
    });
    const model = new ScriptedModel(calls("tell"), say("Well."));
    const agent = new Agent({ model, tools: [tell] });
    const store = new MemoryStore();
    await agent.session({ id: "s", owner: "ann", store }).send("Tell.", { context: { customer: "ann" } });
    const handler = operatorHandler({
      agent,
      store,
      authorize: () => ({ by: "olga" }),
      context: ({ owner = "" }) => ({ customer: `${owner}, as stored` }),
    });
    const ask = async (path: string, init?: RequestInit): Promise<Response> =>
      await handler(new Request(`${ORIGIN}/api/operator${path}`, init));
    const [first] = ((await (await ask("")).json()) as Listed).calls;
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ session: "s", answers: [{ token: first?.token, approved: true }] });
    expect((await ask("/answers", { method: "POST", headers, body })).status).toBe(200);
    expect(await told.promise).toBe("ann, as stored");
  });
});

describe("a request to an operator's handler", () => {
  test.each([
    ["GET", "/answers", undefined, 405, "method_not_allowed"],
    ["POST", "", {}, 405, "method_not_allowed"],
    ["GET", "/other", undefined, 404, "not_found"],
    ["POST", "/answers", {}, 400, "bad_request"],
    ["POST", "/answers", { session: "ann/c1", answers: [] }, 400, "bad_request"],
    ["POST", "/answers", { session: "ann/c1", answers: [{ approved: true }] }, 400, "bad_request"],
    ["POST", "/answers", { session: "ann/none", answers: [{ token: "t", approved: true }] }, 404, "not_found"],
    ["POST", "/answers", { session: "ann/c1", answers: [{ token: "t", approved: true }] }, 409, "answered"],
  ])("%s %s with %j is refused", async (method, path, body, status, code) => {
    const desk = await openDesk([REFUND]);
    expect(await errorOf(await desk.operate(method, path, body))).toEqual({ status, code });
  });

  test("from another site is refused", async () => {
    const desk = await openDesk([REFUND]);
    const refused = await desk.operate("GET", "", undefined, { "sec-fetch-site": "cross-site" });
    expect(await errorOf(refused)).toEqual({ status: 403, code: "cross_site" });
  });

  test("of somebody who is no operator gets what the application says", async () => {
    const authorize = (): Response => new Response("Log in.", { status: 401 });
    const desk = await openDesk([REFUND], { authorize });
    expect((await desk.operate("GET", "")).status).toBe(401);
  });

  test.each([undefined, {}, { by: "" }, { by: "olga", approvedBy: "support" }])(
    "of %j is an error of the application, and shows nothing",
    async (operator) => {
      // Plain JavaScript returns what it likes.
      const authorize = (() => operator) as unknown as OperatorHandlerOptions["authorize"];
      const desk = await openDesk([REFUND], { authorize });
      expect(await errorOf(await desk.operate("GET", ""))).toEqual({ status: 500, code: "internal" });
    },
  );

  test("is taken by no handler without authorize", () => {
    const agent = new Agent({ model: new ScriptedModel() });
    // Plain JavaScript leaves it out.
    const options = { agent, store: new MemoryStore() } as unknown as OperatorHandlerOptions;
    expect(() => operatorHandler(options)).toThrow("authorize is required");
    expect(() => operatorHandler({ ...options, authorize: () => ({ by: "o" }), path: "operator" })).toThrow("path");
  });
});
