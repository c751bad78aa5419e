import { Agent, type AgentOptions, ApiStatusError, defineTool, MemoryStore, type Model, ToolError } from "@pollux/core";
import { call, calls, dies, fails, say, ScriptedModel, type ScriptLine } from "@pollux/core/testing";
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { fakeTime } from "../../core/test/helpers/fake-time.ts";
import { openTelemetry, type OpenTelemetryOptions } from "../src/index.ts";
import { keepContexts, Sdk } from "./helpers/sdk.ts";

fakeTime("leaps");
keepContexts();
afterEach(() => void vi.unstubAllEnvs());

/** A place in which content is, and a run that has it there and nowhere else. */
type Place = (secret: string, agentOf: AgentOf) => Promise<unknown>;
type AgentOf = (lines: readonly ScriptLine[], options?: Partial<AgentOptions>) => Agent;

const tool = (run: () => unknown, description = "x") => defineTool({ name: "look", description, run });
const status = (message: string, code: number): Error =>
  new ApiStatusError(message, { status: code, retryable: code >= 500 });

/** A model that reports an attempt as failed with this message before it answers. */
function noticing(type: "retry" | "wait", message: string): Model {
  const model = new ScriptedModel(say("Done."));
  const error = { code: "api_status", message, status: 503 };
  const notice = type === "retry" ? { type, attempt: 1, delayMs: 1, error } : { type, delayMs: 1, error };
  return {
    id: model.id,
    capabilities: model.capabilities,
    check: (settings) => model.check(settings),
    respond: (request, options) => {
      options.onNotice?.(notice);
      return model.respond(request, options);
    },
  };
}

const places: Readonly<Record<string, Place>> = {
  "the prompt": (secret, agentOf) => agentOf([say("Done.")]).run(secret),
  "the instructions": (secret, agentOf) => agentOf([say("Done.")], { instructions: secret }).run("Go."),
  "the answer": (secret, agentOf) => agentOf([say(secret)]).run("Go."),
  arguments: (secret, agentOf) =>
    agentOf([call("look", { at: secret }), say("Done.")], { tools: [tool(() => 1)] }).run("Go."),
  "a result": (secret, agentOf) => agentOf([call("look"), say("Done.")], { tools: [tool(() => secret)] }).run("Go."),
  "the description of a tool": (secret, agentOf) =>
    agentOf([call("look"), say("Done.")], { tools: [tool(() => 1, secret)] }).run("Go."),
  "the name of a tool that the model made up": (secret, agentOf) => agentOf([call(secret), say("Done.")]).run("Go."),
  "what a tool says of its failure": (secret, agentOf) => {
    const failing = tool(() => {
      throw new ToolError(secret);
    });
    return agentOf([call("look"), say("Done.")], { tools: [failing] }).run("Go.");
  },
  "what a tool throws": (secret, agentOf) => {
    const failing = tool(() => {
      throw new Error(secret, { cause: secret });
    });
    return agentOf([call("look"), say("Done.")], { tools: [failing] }).run("Go.");
  },
  "why a tool is tried again": (secret, agentOf) => {
    const run = (): never => {
      throw new ToolError(secret);
    };
    const retry = { minDelayMs: 1, maxDelayMs: 1, when: () => true };
    const flaky = defineTool({ name: "look", description: "x", retry, run });
    return agentOf([call("look"), say("Done.")], { tools: [flaky] }).run("Go.");
  },
  "what the service says of a failed request": (secret, agentOf) =>
    agentOf([fails(status(`The prompt "${secret}" is not valid.`, 400))]).run("Go."),
  "why a stream is restarted": (secret, agentOf) =>
    agentOf([dies("It", status(`Lost "${secret}".`, 503)), say("Done.")]).run("Go."),
  "why a request is retried": (secret, agentOf) => agentOf([], { model: noticing("retry", secret) }).run("Go."),
  "why a request waits": (secret, agentOf) => agentOf([], { model: noticing("wait", secret) }).run("Go."),
  "an error that is thrown inside a run": (secret, agentOf) => {
    const error = Object.assign(new Error(secret), { name: `Not ${secret}`, code: `no ${secret}` });
    return agentOf([fails(error)]).run("Go.");
  },
  "what is thrown and is no error": (secret, agentOf) => agentOf([fails(`no ${secret}`)]).run("Go."),
  "the reason of an abort": (secret, agentOf) => {
    const abort = new AbortController();
    const look = tool(() => abort.abort(`enough ${secret}`));
    return agentOf([call("look"), say("Done.")], { tools: [look] }).run("Go.", { signal: abort.signal });
  },
  "a guardrail's reason and details": (secret, agentOf) => {
    const check = () => ({ stop: secret, details: { [secret]: secret } });
    return agentOf([say("Done.")], { guardrails: { output: [{ name: "polite", check }] } }).run("Go.");
  },
  "what is thrown by a guardrail": (secret, agentOf) => {
    const check = (): never => {
      throw new Error(secret);
    };
    return agentOf([say("Done.")], { guardrails: { input: [{ name: "polite", check }] } }).run("Go.");
  },
  "the metadata of a run": (secret, agentOf) => agentOf([say("Done.")]).run("Go.", { metadata: { [secret]: secret } }),
  "the question of an approval, and its denial": async (secret, agentOf) => {
    const store = new MemoryStore();
    const pay = defineTool({ name: "pay", description: secret, needsApproval: true, run: () => 1 });
    const session = agentOf([call("pay", { to: secret }), say("Done.")], { tools: [pay] }).session({ id: "s", store });
    await session.send("Go.", { metadata: { [secret]: secret } });
    const { pending } = await session.state();
    return session.resume({ approvals: Object.fromEntries(pending.map(({ callId }) => [callId, { deny: secret }])) });
  },
  "a run inside a call": (secret, agentOf) => {
    const inner = agentOf([calls(secret, secret), fails(status(secret, 400))], { name: "inner", instructions: secret });
    const lines = [call("inner", { task: secret }), fails(status(secret, 400))];
    return agentOf(lines, { tools: [inner.asTool({ description: secret })] }).run(secret);
  },
};

/** Everything that is exported of a run, by all three signals. */
async function exportOf(place: Place, secret: string, options: OpenTelemetryOptions): Promise<string> {
  const sdk = new Sdk();
  const { tracerProvider, meterProvider, loggerProvider } = sdk;
  const observers = [openTelemetry({ tracerProvider, meterProvider, loggerProvider, metrics: "2025", ...options })];
  await place(secret, (lines, more) => new Agent({ model: new ScriptedModel(...lines), observers, ...more })).catch(
    () => {},
  );
  expect(sdk.spans.length).toBeGreaterThan(0);
  const spans = sdk.spans.map(({ name, attributes, status: ended, events, links }) => ({
    name,
    attributes,
    ended,
    events,
    links,
  }));
  return JSON.stringify([spans, sdk.records, await sdk.metrics()]);
}

/** A word that no name or code of ours contains. */
const anySecret = fc.string({ unit: fc.constantFrom("q", "x", "z", "j", "v", "w", "k"), minLength: 8, maxLength: 20 });

describe("what is exported by default", () => {
  test.each(Object.entries(places))("has nothing of %s", async (_what, place) => {
    vi.stubEnv("OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT", "true");
    await fc.assert(
      fc.asyncProperty(anySecret, async (secret) => {
        expect(await exportOf(place, secret, {})).not.toContain(secret);
      }),
      { numRuns: 5 },
    );
  });

  test("has the code of a failure, and the status of an answer", async () => {
    const sdk = new Sdk();
    const { tracerProvider, loggerProvider } = sdk;
    const observers = [openTelemetry({ tracerProvider, loggerProvider })];
    const model = new ScriptedModel(fails(status("no", 400)));
    await new Agent({ model, observers }).run("Go.").catch(() => {});
    expect(sdk.find("generate_content gemini-scripted")).toMatchObject({
      status: { code: 2 },
      attributes: { "error.type": "400" },
      events: [{ name: "exception", attributes: { "exception.type": "ApiStatusError" } }],
    });
    expect(sdk.records).toMatchObject([{ attributes: { "exception.type": "ApiStatusError", "error.type": "400" } }]);
  });
});

describe("with content captured", () => {
  /** Not exported in any case. */
  const never = new Set(["what a tool throws", "a guardrail's reason and details", "the metadata of a run"]);

  test.each(Object.entries(places).filter(([what]) => !never.has(what)))(
    "%s is exported, redacted",
    async (_what, place) => {
      const captureContent = "SPAN_AND_EVENT";
      expect(await exportOf(place, "qxqxqxqx", { captureContent })).toContain("qxqxqxqx");
      const redact = (text: string): string => text.replaceAll("qxqxqxqx", "…");
      const exported = await exportOf(place, "qxqxqxqx", { captureContent, content: { redact } });
      expect(exported).not.toMatch(/"(?:exception\.|pollux\.[a-z]+\.reason)[^}]*qxqxqxqx/);
      expect(exported).not.toMatch(/"ended":[^}]*qxqxqxqx/);
    },
  );

  test("a tool that the model made up has its name in spans, and never in metrics", async () => {
    const sdk = new Sdk();
    const { tracerProvider, meterProvider } = sdk;
    const observers = [openTelemetry({ tracerProvider, meterProvider, captureContent: true })];
    await new Agent({ model: new ScriptedModel(call("made_up"), say("Done.")), observers }).run("Go.");
    expect(sdk.find("execute_tool made_up").attributes["gen_ai.tool.name"]).toBe("made_up");
    expect(JSON.stringify(await sdk.metrics())).not.toContain("made_up");
  });
});
