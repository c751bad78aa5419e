import { createServer } from "node:net";
import { Agent, defineTool, endpoint, gemini, geminiApi, type Model, type Tool } from "@pollux/core";
import { ScriptedModel } from "@pollux/core/testing";
import { createEmulator, type EmulatorOptions, type RunningServer } from "@pollux/emulator";
import { mcpTools } from "@pollux/tools/mcp";
import { loadSkills } from "@pollux/tools/skills";
import { toolSearch } from "@pollux/tools/tool-search";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";

const servers: RunningServer[] = [];

beforeEach(() => {
  for (const name of ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NODE_USE_ENV_PROXY"])
    vi.stubEnv(name, undefined);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

const PATH = "/v1beta/models/gemini-flash-latest:streamGenerateContent";
const HOST = `generativelanguage.googleapis.com${PATH}`;

/** A mistake, and the whole message about it. */
const REFUSED: readonly (readonly [string, () => Promise<Model> | Model, string])[] = [
  [
    "no key",
    () => gemini("gemini-flash-latest", { endpoint: geminiApi({ env: {} }) }),
    "No API key: set GEMINI_API_KEY (from https://aistudio.google.com/apikey), GOOGLE_API_KEY or COMETAPI_KEY, or pass apiKey to geminiApi(). To work without a key, start the emulator with `npx @pollux/cli emulator --port 8787` and set GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:8787.",
  ],
  [
    "a wrong key",
    () => onEmulator("gemini-flash-latest", {}, "bad-key"),
    "The API responded with 400 INVALID_ARGUMENT: API key not valid. Please pass a valid API key. Check the key: GOOGLE_API_KEY or GEMINI_API_KEY for Google, COMETAPI_KEY for CometAPI, or the endpoint's apiKey option.",
  ],
  [
    "a model that does not exist",
    () => onEmulator("gemini-9-flush"),
    'The API responded with 404 NOT_FOUND: models/gemini-9-flush is not found for API version v1beta, or is not supported for generateContent. Call ModelService.ListModels to see the list of available models and their supported methods. Check the model id (did you mean "gemini-3.8-flash"?) and the base URL; listModels lists the models of this key.',
  ],
  [
    "a model that this gateway does not have",
    () => onEmulator("gemini-1.0-ultra", { profile: "comet" }),
    "The API responded with 503 model_not_found: No available channel for model gemini-1.0-ultra under group default (distributor) (request id: 20261121000000000emulated). The gateway has no such model: call listModels or see its model list.",
  ],
  [
    "no network",
    () => offline("ENOTFOUND"),
    `No response from ${HOST} (fetch failed: ENOTFOUND); check the network and the base URL.`,
  ],
  [
    "a proxy that Node does not use",
    () => {
      vi.stubEnv("HTTPS_PROXY", "http://proxy.example:3128");
      return offline("ENOTFOUND");
    },
    `No response from ${HOST} (fetch failed: ENOTFOUND); HTTPS_PROXY is set, but Node uses it only with NODE_USE_ENV_PROXY=1 (Node 22.21, 24.5 or later).`,
  ],
  [
    "a proxy that cannot be reached",
    () => {
      vi.stubEnv("https_proxy", "http://proxy.example:3128");
      vi.stubEnv("NODE_USE_ENV_PROXY", "1");
      return offline("ECONNREFUSED");
    },
    `No response from ${HOST} (fetch failed: ECONNREFUSED); check the address of the proxy in https_proxy, and the user and password in it.`,
  ],
  [
    "a proxy with a certificate of its own",
    () => offline("SELF_SIGNED_CERT_IN_CHAIN"),
    `No response from ${HOST} (fetch failed: SELF_SIGNED_CERT_IN_CHAIN); its certificate is not trusted: behind a company's proxy, set NODE_EXTRA_CA_CERTS to the file of its certificate.`,
  ],
];

describe.each(["run", "stream"] as const)("%s", (face) => {
  const ask = (agent: Agent): Promise<unknown> => (face === "run" ? agent.run("Hi") : agent.stream("Hi").result());

  test.each(REFUSED)("%s", async (_what, model, message) => {
    expect(await messageOf(async () => ask(new Agent({ model: await model() })))).toBe(message);
  });

  test("a server that is not running", async () => {
    const port = await deadPort();
    const model = gemini("gemini-flash-latest", {
      endpoint: endpoint({ baseUrl: `http://127.0.0.1:${port}` }),
      retry: { maxAttempts: 1 },
    });
    expect(await messageOf(() => ask(new Agent({ model })))).toBe(
      `No response from 127.0.0.1:${port}${PATH} (ECONNREFUSED); nothing listens there: start the server (\`npx @pollux/cli emulator --port 8787\` is one), or correct the base URL.`,
    );
  });
});

/** Messages for authors of tools and configurations. */
const WRONG: readonly (readonly [string, () => unknown, string])[] = [
  [
    "a schema that JSON cannot express",
    () => defineTool({ name: "plan", description: "Plans.", input: z.object({ when: z.date() }), run: () => "ok" }),
    'tool "plan": properties.when is a date, which JSON cannot represent: use z.coerce.date() (the model sends an ISO date-time) or a string schema such as z.iso.datetime()',
  ],
  [
    "a tool whose input is not an object",
    () => defineTool({ name: "plan", description: "Plans.", input: z.string(), run: () => "ok" }),
    'tool "plan": the input must be an object, got of type "string": wrap it, as in z.object({ value: … })',
  ],
  [
    "a name that the service refuses",
    () => defineTool({ name: "my tool", description: "Plans.", run: () => "ok" }),
    '"my tool" cannot be a tool\'s name: start with a letter or underscore, then letters, digits and _ . : -, at most 64 characters',
  ],
  [
    "more tools than a request takes",
    () => new Agent({ model: new ScriptedModel(), tools: tools(513) }),
    "513 functions, but one request accepts at most 512: pass them through toolSearch() of @pollux/tools/tool-search, or group them behind agents",
  ],
  [
    "two tools of one name behind a search",
    () => toolSearch([...tools(2), ...tools(1)], { budgetTokens: 0 }),
    'toolSearch(): two tools are named "tool_0": rename one, or give its MCP server a prefix',
  ],
  [
    "a tool that is always declared and does not exist",
    () => toolSearch(tools(2), { always: ["tool_9"] }),
    'toolSearch(): always names "tool_9", which is not among the tools',
  ],
  [
    "a ranking that does not exist",
    // A mistake in a program without types.
    () => toolSearch(tools(2), { rank: "bm25" as "text" }),
    'toolSearch(): rank must be "text" or { embed: { model } }',
  ],
  [
    "a folder of skills that is not there",
    () => loadSkills("/no/such/skills"),
    "/no/such/skills: it is not a folder that can be read; correct the path",
  ],
  [
    "an MCP server that is not installed",
    () => mcpTools({ command: "no-such-server" }),
    'the MCP server "no-such-server" did not start: spawn no-such-server ENOENT; install the program, or give its full path',
  ],
  [
    "a model id with a space",
    () => new Agent({ model: gemini("gemini flash", { endpoint: endpoint({ baseUrl: "http://127.0.0.1:1" }) }) }),
    '"gemini flash" is not a model id; use one like "gemini-flash-latest" or "tunedModels/my-model".',
  ],
  [
    "a base URL without a protocol",
    () => endpoint({ baseUrl: "localhost:8787" }),
    'The base URL begins with "localhost:"; begin it with https:// or http://.',
  ],
];

test.each(WRONG)("%s is an error at once", async (_what, make, message) => {
  expect(await messageOf(make)).toBe(message);
});

test("each of these messages fits into three lines of 120 columns", () => {
  for (const [what, , message] of [...REFUSED, ...WRONG]) expect(message.length, what).toBeLessThanOrEqual(360);
});

function tools(count: number): readonly Tool[] {
  return Array.from({ length: count }, (_, index) =>
    defineTool({ name: `tool_${index}`, description: "Does something.", run: () => "ok" }),
  );
}

/** The message of the thrown error. */
async function messageOf(fail: () => unknown): Promise<string> {
  try {
    await fail();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return "nothing was thrown";
}

async function onEmulator(id: string, options: EmulatorOptions = {}, apiKey?: string): Promise<Model> {
  const server = await createEmulator(options).listen();
  servers.push(server);
  const kind = options.profile === "comet" ? "gateway" : "developer";
  return gemini(id, { endpoint: endpoint({ baseUrl: server.url, kind, apiKey }), retry: { maxAttempts: 1 } });
}

/** Google's service on a machine where every connection fails in this way, with the errors of Node's `fetch`. */
function offline(code: string): Model {
  const fetch = async (): Promise<Response> => {
    throw new TypeError("fetch failed", { cause: Object.assign(new Error(code), { code }) });
  };
  return gemini("gemini-flash-latest", {
    endpoint: geminiApi({ apiKey: "some-key", env: {} }),
    fetch,
    retry: { maxAttempts: 1 },
  });
}

/** A port on which nothing listens. */
async function deadPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return address.port;
}
