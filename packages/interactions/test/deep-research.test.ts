import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Agent, MemoryStore, pollJobs, renderMarkdown, type RunResult, type Session } from "@pollux/core";
import { call, say, type ScriptLine, ScriptedModel } from "@pollux/core/testing";
import { createEmulator, type Emulator, type EmulatorOptions } from "@pollux/emulator";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  type AgentRequest,
  deepResearch,
  type DeepResearchOptions,
  type InteractionsClient,
  OutcomeUnknownError,
  reportResearch,
  type ResearchPlan,
  type ResearchReport,
} from "../src/index.ts";
import { verifyWebhook, webhookKeys } from "../src/webhooks/index.ts";
import { clientOf, json, localClient, rawServer } from "./support/raw-server.ts";

const ASK = call("deep_research", { question: "How do heat pumps work in the cold?" });

/** A session in which a model may research, and what both were told. */
function lab(client: InteractionsClient, options: Omit<DeepResearchOptions, "client"> = {}) {
  const store = new MemoryStore();
  const told: unknown[] = [];
  const agent = (...lines: readonly ScriptLine[]): Agent =>
    new Agent({
      model: new ScriptedModel(
        ...lines.map((line): ScriptLine => (...args) => {
          const parts = args[0].contents.flatMap((content) => content.parts);
          told.push(...parts.flatMap(({ functionResponse }) => functionResponse?.response ?? []));
          return typeof line === "function" ? line(...args) : line;
        }),
      ),
      tools: [deepResearch({ ...options, client })],
    });
  const open = (...lines: readonly ScriptLine[]): Session => agent(...lines).session({ id: "s", store });
  return { store, told, agent, open };
}

function emulated(options: EmulatorOptions = {}): { emulator: Emulator; client: InteractionsClient } {
  const emulator = createEmulator(options);
  return { emulator, client: localClient(emulator, { retry: { minDelayMs: 1, maxDelayMs: 1 } }) };
}

const creates = ({ requests }: Emulator): number => requests.filter(({ method }) => method === "POST").length;

describe("a research in a session", () => {
  test("is started once, waited for by pollJobs, and read with its sources", async () => {
    const { emulator, client } = emulated({ interactions: { polls: 2 } });
    const { store, told, agent, open } = lab(client, { checkEveryMs: 1 });
    expect((await open(ASK).send("Why?")).stopReason).toBe("needs-outcome");
    const stop = new AbortController();
    const errors: unknown[] = [];
    const over = new Promise<void>((resolve) => {
      store.watch(
        "s",
        () =>
          void open()
            .state()
            .then(({ lastRun }) => lastRun === "finished" && resolve()),
      );
    });
    const onError = (error: unknown): void => void errors.push(error);
    const polling = pollJobs({ agent: agent(say("So.")), store, signal: stop.signal, everyMs: 1, onError });
    await over;
    stop.abort();
    await polling;
    const result = await open().continue();
    const [research] = result.toolCalls;
    const output = (research?.status === "completed" ? research.output : undefined) as ResearchReport;
    expect([result.text, errors, creates(emulator)]).toEqual(["So.", [], 1]);
    expect(renderMarkdown(output)).toContain("naïve words.[1] Two others agree 🔬.[2][3]");
    expect(told).toEqual([{ output }]);
    expect(emulator.requests[0]?.body).toMatchObject({ background: true, store: true });
    const log: readonly unknown[] = await store.load("s");
    expect(log).toContainEqual(expect.objectContaining({ type: "job", progress: { status: "in_progress" } }));
  });

  test("is cancelled with its run", async () => {
    const { emulator, client } = emulated();
    const { open } = lab(client);
    await open(ASK).send("Why?");
    expect(await open().stop()).toBe(true);
    expect(emulator.requests.at(-1)?.path).toMatch(/\/cancel$/);
  });

  test("that fails, is cut off or is gone is an error that the model reads", async () => {
    const errors = [{ code: "api_error", message: "no sources" }];
    const { client } = emulated({ interactions: { polls: 0, research: () => ({ status: "failed", errors }) } });
    const { told, open } = lab(client);
    await open(ASK).send("Why?");
    expect((await open(say("Pity.")).continue()).text).toBe("Pity.");
    expect(told).toEqual([{ error: "The research failed: no sources" }]);
  });

  test.each([
    [{ status: "incomplete" }, { error: "The research was cut off (incomplete), and there is no report." }],
    [{ status: "completed" }, { error: "The research ended without a report." }],
    [{ status: "cancelled" }, { error: "The research was cancelled." }],
    [{ status: "requires_action" }, { error: expect.stringContaining("a job can't give (requires_action)") }],
  ])("that ends as %j", async (found, answer) => {
    const { url } = await rawServer(json({ id: "v1_a", status: "in_progress" }), json({ id: "v1_a", ...found }));
    const { told, open } = lab(clientOf(url));
    await open(ASK).send("Why?");
    await open(say("Pity.")).continue();
    expect(told).toEqual([answer]);
  });

  test("tells its last thought, where the service shows it, and no more than 500 characters", async () => {
    const steps = ["First.", "x".repeat(900)].map((text) => ({ type: "thought", summary: [{ type: "text", text }] }));
    const going = { id: "v1_a", status: "in_progress" };
    const { url } = await rawServer(json(going), json({ ...going, steps }));
    const { store, open } = lab(clientOf(url));
    await open(ASK).send("Why?");
    expect((await open().continue()).stopReason).toBe("needs-outcome");
    const progress = { status: "in_progress", steps: 2, thought: "x".repeat(500) };
    expect((await store.load("s")) as readonly unknown[]).toContainEqual(expect.objectContaining({ progress }));
  });
});

describe("a create whose outcome nobody knows", () => {
  test("is asked about, and never repeated unasked; a person says that it did not take place", async () => {
    const { url, sent } = await rawServer(
      (response) => response.socket?.resetAndDestroy(),
      json({ id: "v1_a", status: "in_progress" }),
    );
    const { open } = lab(clientOf(url));
    const asked = await open(ASK).send("Why?");
    expect("pending" in asked && asked.pending.map(({ question }) => question)).toEqual(["unknown-outcome"]);
    expect(sent).toHaveLength(1);
    await open().continue();
    expect(sent).toHaveLength(1);
    const token = "pending" in asked ? (asked.pending[0]?.token ?? "") : "";
    const going = await open().resume({ outcomes: { [token]: { notExecuted: true } } });
    expect("pending" in going && going.pending.map(({ job }) => job?.jobId)).toEqual(["v1_a"]);
    expect(sent).toHaveLength(2);
  });

  test("is told to the model, with unknownOutcome: tell-model", async () => {
    const { url, sent } = await rawServer((response) => response.socket?.resetAndDestroy());
    const { told, open } = lab(clientOf(url), { unknownOutcome: "tell-model" });
    await open(ASK, say("Hm.")).send("Why?");
    expect([told, sent.length]).toEqual([[{ error: expect.stringContaining("unknown whether") }], 1]);
  });
});

describe("a webhook", () => {
  /** A server that gets the report of a research. */
  async function receiver(): Promise<{ url: string; reportOf: (number: number) => Promise<Request> }> {
    let url = "";
    const reports: Request[] = [];
    const server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        const headers = Object.entries(request.headers).map(([name, value]): [string, string] => [name, String(value)]);
        response.end();
        reports.push(new Request(url, { method: "POST", body, headers }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    // A TCP server's address is an object.
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    const reportOf = async (number: number): Promise<Request> => {
      await expect.poll(() => reports.length).toBe(number);
      // As many have come.
      return reports[number - 1] as Request;
    };
    return { url, reportOf };
  }

  test.each(["recorded", "lost in a crash"])("brings the report once, of a start that was %s", async (how) => {
    const { url, reportOf } = await receiver();
    const { emulator, client } = emulated();
    const create = client.create.bind(client);
    // The research is created, and its answer does not come back.
    if (how !== "recorded")
      client.create = async (...given) => {
        await create(...given);
        throw new OutcomeUnknownError("cut off");
      };
    const { told, open } = lab(client, { webhook: url });
    await open(ASK).send("Why?");
    const keys = webhookKeys({ fetch: (address, init) => emulator.fetch(address, init) });
    const { event } = await verifyWebhook(await reportOf(1), { keys, audience: url });
    const session = await reportResearch(event, { client, session: () => open(say("So.")) });
    expect((await session?.continue())?.text).toBe("So.");
    expect(told).toEqual([{ output: expect.objectContaining({ interactionId: event.data.id }) }]);
    const again = await reportResearch(event, { client, session: () => open() });
    await again?.continue();
    expect([told.length, creates(emulator)]).toEqual([1, 1]);
    const other = { ...event, type: "batch.succeeded" };
    expect(await reportResearch(other, { client, session: () => open() })).toBeUndefined();
  });

  test("brings a plan and its research, of starts that were lost in crashes", async () => {
    const { url, reportOf } = await receiver();
    const { emulator, client } = emulated();
    const create = client.create.bind(client);
    client.create = async (...given) => {
      await create(...given);
      throw new OutcomeUnknownError("cut off");
    };
    const { told, open } = lab(client, { webhook: url, collaborativePlanning: true });
    const keys = webhookKeys({ fetch: (address, init) => emulator.fetch(address, init) });
    const reported = async (number: number, ...lines: readonly ScriptLine[]): Promise<RunResult<unknown>> => {
      const { event } = await verifyWebhook(await reportOf(number), { keys, audience: url });
      await reportResearch(event, { client, session: () => open() });
      await reportResearch(event, { client, session: () => open() });
      return await open(...lines).continue();
    };
    expect(askedOf(await open(ASK).send("Why?"))?.question).toBe("unknown-outcome");
    const asked = askedOf(await reported(1));
    expect(asked).toMatchObject({ question: "approval", args: { plan: expect.stringMatching(/^1\. /) } });
    const accepted = await open().resume({ approvals: { [asked?.token ?? ""]: true } });
    expect(askedOf(accepted)?.question).toBe("unknown-outcome");
    expect((await reported(2, say("So."))).text).toBe("So.");
    expect(told).toEqual([{ output: expect.objectContaining({ text: expect.stringMatching(/^# /) }) }]);
    expect(sentTo(emulator)).toMatchObject([{ plans: true }, { plans: false, previous: expect.any(String) }]);
  });
});

/** What is asked, and its token. */
function askedOf(result: RunResult<unknown>): { question: string; args: unknown; token: string } | undefined {
  const [one] = "pending" in result ? result.pending : [];
  return one && { question: one.question, args: one.call.args, token: one.token };
}

/** What was asked of the service, in short. */
const sentTo = ({ requests }: Emulator): unknown =>
  requests.flatMap(({ method, body }) => {
    if (method !== "POST") return [];
    const { input, previous_interaction_id: previous, agent_config: config } = body as AgentRequest;
    return [{ input, previous, plans: config?.collaborative_planning }];
  });

describe("a plan", () => {
  test("is asked about, changed and accepted, and each start is made once", async () => {
    const { emulator, client } = emulated({ interactions: { polls: 0 } });
    const { told, open } = lab(client, { collaborativePlanning: true });
    expect(askedOf(await open(ASK).send("Why?"))?.question).toBe("job");
    const first = askedOf(await open().continue());
    const question = "How do heat pumps work in the cold?";
    const plan = expect.stringMatching(/^1. Search for How do heat pumps work in the cold/);
    const asks = { question, plan, changes: "", previous_interaction_id: expect.stringMatching(/^v1_/) };
    expect(first).toMatchObject({ question: "approval", args: asks });
    const args = { ...(first?.args as ResearchPlan), changes: "Only in Europe." };
    await open().resume({ approvals: { [first?.token ?? ""]: { args } } });
    const second = askedOf(await open().continue());
    expect(second?.args).toEqual({ ...asks, plan: expect.stringContaining("Only in Europe.") });
    await open().resume({ approvals: { [second?.token ?? ""]: true } });
    expect((await open(say("So.")).continue()).text).toBe("So.");
    expect(told).toEqual([
      { output: expect.objectContaining({ text: expect.stringMatching(/^# How do heat pumps/) }) },
    ]);
    expect(sentTo(emulator)).toEqual([
      { input: question, previous: undefined, plans: true },
      { input: "Only in Europe.", previous: args.previous_interaction_id, plans: true },
      {
        input: expect.stringContaining("approve"),
        previous: expect.stringMatching(/^v1_/),
        plans: false,
      },
    ]);
  });

  test("may change nothing but what is to change, and is told to the model when it is denied", async () => {
    const { emulator, client } = emulated({ interactions: { polls: 0 } });
    const { told, open } = lab(client, { collaborativePlanning: true });
    await open(ASK).send("Why?");
    const { args, token = "" } = askedOf(await open().continue()) ?? {};
    const edited = { args: { ...(args as ResearchPlan), previous_interaction_id: "v1_other" } };
    await expect(open().answer({ approvals: { [token]: edited } })).rejects.toThrow("only changes");
    await open(say("Fine.")).resume({ approvals: { [token]: { deny: "Too dear." } } });
    expect([told, creates(emulator)]).toEqual([[{ error: expect.stringContaining("Too dear.") }], 1]);
  });

  test("that is completed is one, too, and one without a text is an error", async () => {
    const steps = [{ type: "model_output", content: [{ type: "text", text: "1. Search." }] }];
    for (const [found, waits] of [
      [{ status: "completed", steps }, "approval"],
      [{ status: "completed" }, undefined],
      [{ status: "in_progress" }, "job"],
    ] as const) {
      const { url } = await rawServer(json({ id: "v1_a", status: "in_progress" }), json({ id: "v1_a", ...found }));
      const { open } = lab(clientOf(url), { collaborativePlanning: true });
      await open(ASK).send("Why?");
      expect(askedOf(await open(say("Pity.")).continue())?.question).toBe(waits);
    }
  });

  test("is cancelled while it is made, by the id that the service gave", async () => {
    const { emulator, client } = emulated();
    const { open } = lab(client, { collaborativePlanning: true });
    await open(ASK).send("Why?");
    expect(await open().stop()).toBe(true);
    expect(emulator.requests.at(-1)?.path).toMatch(/interactions\/v1_[\w-]+\/cancel$/);
  });

  test("is set by its option, and not in the request", () => {
    const request = { agent_config: { type: "deep-research", collaborative_planning: true } };
    expect(() => deepResearch({ client: emulated().client, request })).toThrow("set the option collaborativePlanning");
  });
});
