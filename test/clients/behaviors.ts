import { inspect } from "node:util";
import type { GenerateContentRequest, GenerateContentResponse } from "@pollux/core/wire";
import { type Brain, calls, createEmulator, type Emulator, type EmulatorOptions, faults, say } from "@pollux/emulator";
import { improvise } from "@pollux/emulator/improvise";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { MODEL, refusals } from "../support/world.ts";
import { type Ask, type Client, DIMENSIONS, FORECAST, type No, type Service, type Tool } from "./client.ts";

const DEGREES: Record<string, number> = { Oslo: 4, Lima: 19 };
const ASK: Ask = {
  prompt: "Where does it rain today, and why?",
  system: "Answer like a pirate.",
  maxOutputTokens: 500,
};

/** Repeats the message, so that an answer shows what arrived. */
const echo: Brain = {
  answer: ({ request: { systemInstruction, generationConfig, contents } }) => {
    const system = systemInstruction?.parts.map(({ text }) => text).join("");
    return say(
      `The system said “${system}” and the user asked “${contents.at(-1)?.parts.at(-1)?.text}” (${generationConfig?.maxOutputTokens})`,
    );
  },
};
const ECHOED = `The system said “${ASK.system}” and the user asked “${ASK.prompt}” (${ASK.maxOutputTokens})`;

/** Adds up two temperatures from the functions. Matches the end of their names, which programs may prefix. */
function adder(isParallel: boolean): Brain {
  return {
    answer({ request, functions }) {
      const call = (name: string, args: object) => ({
        name: functions.find((it) => it.name.endsWith(name))?.name ?? name,
        args: { ...args },
      });
      const [oslo, lima] = [call("get_weather", { city: "Oslo" }), call("get_weather", { city: "Lima" })];
      const parts = request.contents.flatMap((content) => content.parts);
      const results = parts.flatMap(({ functionResponse }) =>
        functionResponse ? [JSON.stringify(functionResponse.response)] : [],
      );
      const [a, b] = results.map((response) => Number(/celsius\D+(\d+)/.exec(response)?.[1]));
      if (results.length === 3) return say(`That is ${/\d+/.exec(results[2] ?? "")?.[0]} degrees in all.`);
      if (results.length === 2) return calls(call("add", { a, b }));
      if (isParallel) return calls(oslo, lima);
      return calls(results.length === 0 ? oslo : lima);
    },
  };
}

const SUM = "How warm are Oslo and Lima in all?";

/** Its functions with the arguments of their calls; some clients run parallel calls in any order. */
export function recordedTools(): { readonly tools: readonly Tool[]; readonly ran: string[] } {
  const ran: string[] = [];
  const tool = (name: string, description: string, schema: z.ZodObject, run: Tool["run"]): Tool => ({
    name,
    description,
    schema,
    run: (args) => {
      ran.push(`${name} ${JSON.stringify(args)}`);
      return run(args);
    },
  });
  const weather = ({ city }: Record<string, unknown>) => ({ city, celsius: DEGREES[String(city)] });
  const add = ({ a, b }: Record<string, unknown>) => Number(a) + Number(b);
  return {
    ran,
    tools: [
      tool("get_weather", "Current weather in a city.", z.object({ city: z.string() }), weather),
      tool("add", "Adds two numbers.", z.object({ a: z.number(), b: z.number() }), add),
    ],
  };
}

/** Failures: a value out of range, a wrong key, an unknown model, and a quota that renews after a moment. */
const ERRORS: readonly (readonly [
  number,
  string,
  { key?: string; model?: string; maxOutputTokens?: number },
  readonly string[],
])[] = [
  [400, "E-48b", { maxOutputTokens: 10_000_000 }, []],
  [400, "A-2", { key: "bad-key" }, []],
  [404, "E-70", { model: "gemini-0-nothing" }, []],
  [429, "Q-1", {}, ["google.rpc.RetryInfo"]],
];

/** Nine behaviors that every client must show with the emulator, through its adapter. */
export function describeClient(client: Client): void {
  describe(`${client.name}, ${client.surface}`, () => {
    test("text", async () => {
      await using opened = await open(client, { brain: echo });
      const said = await client.text(opened, ASK);
      const { usageMetadata } = await opened.again();
      expect(said).toMatchObject({ text: ECHOED, inputTokens: usageMetadata?.promptTokenCount });
      expect(said.inputTokens).toBeGreaterThan(5);
    });

    test("stream", async () => {
      await using opened = await open(client, { brain: echo, deltaCharacters: 8 });
      const pieces = await client.stream(opened, ASK);
      expect(pieces.join("")).toBe(ECHOED);
      expect(pieces.filter((piece) => piece !== "").length).toBeGreaterThan(5);
      expect(opened.emulator.requests.map(({ answered }) => answered.operation)).toEqual(["streamGenerateContent"]);
    });

    test("functions", async () => {
      if ("no" in client.functions) return expectNo(client.functions);
      const isParallel = client.oneCallATurn === undefined;
      await using opened = await open(client, { brain: adder(isParallel) });
      const { tools, ran } = recordedTools();
      const text = await client.functions(opened, SUM, tools);
      expect(text).toBe("That is 23 degrees in all.");
      expect(ran.toSorted()).toEqual([
        'add {"a":4,"b":19}',
        'get_weather {"city":"Lima"}',
        'get_weather {"city":"Oslo"}',
      ]);
      expect(refusals(opened.emulator)).toEqual([]);
      expect(opened.emulator.requests).toHaveLength(isParallel ? 3 : 4);
      const responses = opened
        .last()
        .contents.flatMap(({ parts }) => parts.flatMap((part) => part.functionResponse ?? []));
      expect(responses.map(({ name, response }) => `${name}: ${/\d+/.exec(JSON.stringify(response))?.[0]}`)).toEqual([
        expect.stringMatching(/get_weather: 4$/),
        expect.stringMatching(/get_weather: 19$/),
        expect.stringMatching(/add: 23$/),
      ]);
      if (isParallel) return;
      await using refusing = await open(client, { brain: adder(true) });
      await expect(client.functions(refusing, SUM, tools)).rejects.toThrow("number of function response parts");
      expect(refusals(refusing.emulator)).toEqual([{ number: 2, rule: "E-10" }]);
    });

    test("output", async () => {
      if ("no" in client.output) return expectNo(client.output);
      await using opened = await open(client, { brain: improvise() });
      const found = await client.output(opened, "How is the weather in Oslo?", FORECAST);
      expect(FORECAST.parse(found)).toMatchObject({ city: "Oslo" });
      const raw = await opened.again();
      const [part] = raw.candidates?.[0]?.content?.parts?.filter(({ thought }) => thought !== true) ?? [];
      expect(found).toEqual(part?.functionCall?.args ?? JSON.parse(part?.text ?? ""));
      expect(refusals(opened.emulator)).toEqual([]);
    });

    test("embeddings", async () => {
      if ("no" in client.embeddings) return expectNo(client.embeddings);
      await using opened = await open(client);
      const [rain = [], same, cat = []] = await client.embeddings(opened, ["Rain in Oslo", "Rain in Oslo", "A cat"]);
      const asks = JSON.stringify(opened.last()).includes("utputDimensionality");
      const length = asks ? DIMENSIONS : 3072;
      expect([rain.length, cat.length]).toEqual([length, length]);
      expect(same).toEqual(rain);
      expect(cat).not.toEqual(rain);
      expect([...rain, ...cat].every(Number.isFinite)).toBe(true);
      expect(refusals(opened.emulator)).toEqual([]);
    });

    test("tokens", async () => {
      if ("no" in client.tokens) return expectNo(client.tokens);
      await using opened = await open(client);
      const prompt = "How long is this sentence, counted in tokens?";
      const counted = await client.tokens(opened, prompt);
      expect(opened.emulator.requests.map(({ answered }) => answered.operation)).toEqual(["countTokens"]);
      const { usageMetadata } = await opened.generate({ contents: [{ role: "user", parts: [{ text: prompt }] }] });
      expect(counted).toBe(usageMetadata?.promptTokenCount);
      expect(counted).toBeGreaterThan(5);
    });

    test("files", async () => {
      if ("no" in client.files) return expectNo(client.files);
      await using opened = await open(client);
      const file = new Blob(["%PDF-1.4 of a paper"], { type: "application/pdf" });
      const uri = await (client.files.upload ?? uploadFile)(opened, file);
      const ask: Ask = { prompt: "What is this?", file: { uri, mimeType: file.type } };
      expect((await client.text(opened, ask)).text).toContain(`application/pdf of ${file.size} bytes.`);
      expect(refusals(opened.emulator)).toEqual([]);
      expect((await send(opened, "DELETE", new URL(uri).pathname)).status).toBe(200);
      await expect(client.text(opened, ask)).rejects.toThrow("permission to access the File");
    });

    test("caches", async () => {
      if ("no" in client.caches) return expectNo(client.caches);
      await using opened = await open(client);
      const name = await (client.caches.create?.(opened, "word ".repeat(5000)) ?? opened.cache("word ".repeat(5000)));
      const said = await client.text(opened, { prompt: "How many words?", cachedContent: name });
      const { usageMetadata } = await opened.again();
      expect(opened.last()).toMatchObject({ cachedContent: expect.stringMatching(`${name}$`) });
      const { usageMetadata: cached } = await opened.cached(name);
      expect(said).toMatchObject({
        inputTokens: usageMetadata?.promptTokenCount,
        cachedTokens: cached?.totalTokenCount,
      });
      expect(cached?.totalTokenCount).toBeGreaterThan(5000);
      expect(refusals(opened.emulator)).toEqual([]);
    });

    test.each(ERRORS)("errors: %s by %s", async (status, rule, change, details) => {
      const waits = rule === "Q-1" && client.waitsForQuota === true;
      const fault = faults.perMinuteQuota({ retryDelay: "0.2s" });
      await using opened = await open(client, {
        brain: echo,
        faults: rule === "Q-1" ? [{ at: waits ? 1 : [1, 2], fault }] : [],
      });
      const shown = await client.text({ ...opened, ...change }, { ...ASK, ...change }).then(
        ({ text }) => text,
        (error: unknown) => inspect(error, { depth: 9, maxStringLength: null }).replaceAll("\\", ""),
      );
      expect(refusals(opened.emulator)).toEqual([{ number: 1, rule }]);
      const { error } = await opened.again(change.key);
      const expected = waits ? [ECHOED] : [String(status), error?.message.split("\n")[0] ?? "an error", ...details];
      expect(expected.filter((part) => !shown.includes(part))).toEqual([]);
    });
  });
}

function expectNo({ among, like }: No): void {
  expect(among?.().filter((name) => like?.test(name)) ?? []).toEqual([]);
}

/** An emulator on its own socket, and plain requests to it. */
async function open({ surface }: Client, options: EmulatorOptions = {}) {
  const emulator = createEmulator({
    brain: improvise(),
    profile: surface === "Vertex" ? "vertex" : "developer",
    ...options,
  });
  const server = await emulator.listen();
  const version = surface === "Vertex" ? "/v1beta1" : "/v1beta";
  const models = surface === "Vertex" ? `${version}/publishers/google/models` : `${version}/models`;
  const at: Service = { url: server.url, key: "emulator", model: MODEL };
  const last = (): Emulator["requests"][number] => {
    const request = emulator.requests.at(-1);
    if (request === undefined) throw new Error("The client sent nothing");
    return request;
  };
  const post = async (path: string, body: unknown, key = at.key): Promise<Answered> =>
    // The type of this address's answers, except errors.
    (await (await send({ ...at, key }, "POST", path, JSON.stringify(body))).json()) as Answered;
  return {
    ...at,
    emulator,
    generate: (body: GenerateContentRequest) => post(`${models}/${MODEL}:generateContent`, body),
    /** Sends the last request again. @returns The whole answer. */
    again: (key?: string) => post(last().path.replace(/streamG(enerateContent).*/, "g$1"), last().body, key),
    /** The last request. The emulator accepted it, so it is valid. */
    last: () => last().body as GenerateContentRequest,
    cached: async (name: string) => (await (await send(at, "GET", `${version}/${name}`)).json()) as Answered,
    async cache(text: string): Promise<string> {
      const contents = [{ role: "user", parts: [{ text }] }];
      return (await post("/v1beta/cachedContents", { model: `models/${MODEL}`, contents })).name ?? "";
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
}

interface Answered extends GenerateContentResponse {
  readonly name?: string;
  readonly error?: { readonly message: string };
}

/** Uploads a file with plain requests. @returns Its URI. */
export async function uploadFile(at: Service, file: Blob): Promise<string> {
  const started = await send(
    at,
    "POST",
    "/upload/v1beta/files",
    JSON.stringify({ file: { mime_type: file.type, size_bytes: file.size } }),
    {
      "x-goog-upload-protocol": "resumable",
      "x-goog-upload-command": "start",
      "x-goog-upload-header-content-length": String(file.size),
      "x-goog-upload-header-content-type": file.type,
    },
  );
  const { pathname, search } = new URL(started.headers.get("x-goog-upload-url") ?? "");
  const headers = { "x-goog-upload-command": "upload, finalize", "x-goog-upload-offset": "0" };
  const ended = await send(at, "POST", pathname + search, file, headers);
  return ((await ended.json()) as { readonly file: { readonly uri: string } }).file.uri;
}

/** A plain request. */
export function send(
  { url, key }: Service,
  method: string,
  path: string,
  body?: BodyInit,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(url + path, {
    method,
    headers: { "x-goog-api-key": key, ...headers },
    ...(body !== undefined && { body }),
  });
}
