import { describe, expect, test } from "vitest";
import {
  createEmulator,
  type EmulatorOptions,
  faults,
  INTERACTION_RULES,
  script,
  call,
  calls,
  say,
} from "../src/index.ts";
import { improvise } from "../src/improvise.ts";

type Fields = Readonly<Record<string, unknown>>;
interface Said {
  readonly status: number;
  readonly type: string | null;
  readonly text: string;
  // The bodies of this API are objects, except for the front end's errors.
  readonly json: { readonly [field: string]: any };
}

/** An emulator as a function of requests. */
function service(options: EmulatorOptions = {}) {
  const emulator = createEmulator({ brain: improvise(), ...options });
  return async (
    path: string,
    body?: object,
    method = body === undefined ? "GET" : "POST",
    key = "k",
  ): Promise<Said> => {
    const headers = key === "" ? {} : { "x-goog-api-key": key };
    const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
    const response = await emulator.fetch(`https://x.example/v1beta/interactions${path}`, init);
    const text = await response.text();
    const isJson = text.startsWith("{") || text.startsWith("[");
    return {
      status: response.status,
      type: response.headers.get("content-type"),
      text,
      json: isJson ? JSON.parse(text) : {},
    };
  };
}

const ASK = { model: "gemini-3.8-flash", input: "Hello" };
const AGENT = { agent: "deep-research-preview-04-2026", input: "Why?", background: true };
const FUNCTION = { type: "function", name: "f", parameters: { type: "object" } };
const RESULT = { type: "function_result", call_id: "c", name: "f", result: "x" };
const CALL = { type: "function_call", id: "c", name: "f", arguments: {} };
const USER = { type: "user_input", content: [{ type: "text", text: "Hi" }] };
const DUMMY = { type: "thought", signature: "skip_thought_signature_validator" };
const ID = `v1_${"a".repeat(62)}`;

const REFUSED: readonly [rule: string, what: string, body: Fields, message: RegExp][] = [
  ["I-01", "an unknown field", { ...ASK, colour: 1 }, /^Unknown parameter 'colour'$/],
  ["I-01", "camelCase", { ...ASK, systemInstruction: "x" }, /^Unknown parameter 'systemInstruction'$/],
  ["I-01", "a cache", { ...ASK, cached_content: "x" }, /^Unknown parameter 'cached_content'$/],
  ["I-01", "tool_config", { ...ASK, tool_config: {} }, /^Unknown parameter 'tool_config'$/],
  [
    "I-01",
    "strict in a tool",
    { ...ASK, tools: [{ ...FUNCTION, strict: true }] },
    /^Unknown parameter 'strict' at 'tools\[0\]'$/,
  ],
  ["I-01", "contents", { ...ASK, input: [{ role: "user", parts: [] }] }, /^Unknown parameter 'parts'$/],
  [
    "I-01",
    "a call's thought_signature",
    { ...ASK, input: [USER, DUMMY, { ...CALL, thought_signature: "x" }] },
    /thought_signature/,
  ],
  ["I-02", "no input", { model: ASK.model }, /^Missing input\.$/],
  ["I-02", "an empty list", { ...ASK, input: [] }, /^Missing input\.$/],
  ["I-02", "an empty content", { ...ASK, input: [{ type: "user_input", content: [] }] }, /^Request has empty input\.$/],
  [
    "I-04",
    "an empty text",
    { ...ASK, input: [{ type: "text", text: "" }] },
    /^Missing text in content of type text\.$/,
  ],
  [
    "I-05",
    "an unknown tool",
    { ...ASK, tools: [{ type: "oven" }] },
    /^The value 'oven' is not supported for 'type' at 'tools\[0\]'\. Supported values: 'function', /,
  ],
  ["I-06", "an unknown step", { ...ASK, input: [USER, { type: "dream" }] }, /'dream'.*'input\[1\]'/],
  [
    "I-06",
    "a content among steps",
    { ...ASK, input: [USER, { type: "text", text: "x" }] },
    /^The value 'UNKNOWN' is not supported for 'type' at 'input\[1\]'$/,
  ],
  ["I-07", "a word in capitals", { ...ASK, tools: [FUNCTION], generation_config: { tool_choice: "ANY" } }, /'ANY'/],
  ["I-07", "an unknown tier", { ...ASK, service_tier: "gold" }, /'gold'/],
  [
    "I-07",
    "summaries of old",
    { ...AGENT, agent_config: { type: "deep-research", thinking_summaries: "THINKING_SUMMARIES_AUTO" } },
    /Supported values: 'auto', 'none'/,
  ],
  ["I-08", "turns", { ...ASK, input: [{ role: "user", content: "x" }] }, /step_list/],
  [
    "I-09",
    "an instruction that is a content",
    { ...ASK, system_instruction: { parts: [] } },
    /^Expected string, unexpected character: '\{'$/,
  ],
  [
    "I-09",
    "one speech config",
    { ...ASK, generation_config: { speech_config: {} } },
    /^Expected an array, got object$/,
  ],
  ["I-09", "arguments as a text", { ...ASK, input: [USER, DUMMY, { ...CALL, arguments: "{}" }] }, /Expected an object/],
  [
    "I-10",
    "a chain that is not stored",
    { ...ASK, store: false, previous_interaction_id: ID },
    /^store must be true when previous_interaction_id is set\.$/,
  ],
  [
    "I-11",
    "a malformed predecessor",
    { ...ASK, previous_interaction_id: "x" },
    /^Invalid interaction name: interactions\/x$/,
  ],
  ["I-12", "neither model nor agent", { input: "x" }, /Exactly one/],
  ["I-12", "an agent as model", { ...ASK, model: AGENT.agent }, /refers to an agent/],
  [
    "I-13",
    "background on an old model",
    { ...ASK, model: "gemini-2.5-flash", background: true },
    /^Model 'gemini-2.5-flash' does not support background interactions\.$/,
  ],
  [
    "I-14",
    "an agent in the foreground",
    { ...AGENT, background: false },
    /^background=true is required for agent interactions\.$/,
  ],
  ["I-15", "an unknown agent", { ...AGENT, agent: "x" }, /^Agent 'x' is invalid or not found$/],
  ["I-16", "an unknown model", { ...ASK, model: "gemini-9-ultra-image" }, /not found/],
  [
    "I-17",
    "a choice without functions",
    { ...ASK, generation_config: { tool_choice: "any" } },
    /without function_declarations/,
  ],
  [
    "I-18",
    "search beside functions",
    { ...ASK, tools: [FUNCTION, { type: "google_search" }] },
    /include_server_side_tool_invocations/,
  ],
  ["I-19", "background without store", { ...AGENT, store: false }, /store must be true/],
  ["I-20", "a webhook in the foreground", { ...ASK, webhook_config: { uris: [] } }, /background/],
  [
    "I-21",
    "search and files",
    { ...ASK, tools: [{ type: "google_search" }, { type: "file_search" }] },
    /cannot be combined/,
  ],
  ["I-22", "labels", { ...ASK, labels: {} }, /Agent Platform/],
  ["I-22", "retrieval", { ...ASK, tools: [{ type: "retrieval" }] }, /Agent Platform/],
  ["I-22", "a bucket", { ...ASK, input: [{ type: "image", uri: "gs://a/b" }] }, /RegisterFile/],
  ["I-24", "a MIME type", { ...ASK, response_mime_type: "x" }, /responseFormat/],
  ["I-25", "settings of models for agents", { ...AGENT, generation_config: {} }, /generation_config/],
  ["I-25", "settings of agents for models", { ...ASK, agent_config: {} }, /agent_config/],
  [
    "I-27",
    "a changed signature",
    { ...ASK, input: [USER, { type: "thought", signature: "x" }, CALL, RESULT] },
    /^Corrupted thought signature\.$/,
  ],
  [
    "I-28",
    "a call without a thought",
    { ...ASK, input: [USER, CALL, RESULT] },
    /^Request contains an invalid argument\.$/,
  ],
  [
    "I-29",
    "a result without a name",
    { ...ASK, input: [USER, DUMMY, CALL, { ...RESULT, name: undefined }] },
    /^Invalid input received\.$/,
  ],
  ["I-30", "an open call", { ...ASK, input: [USER, DUMMY, CALL] }, /answered/],
  ["I-31", "a result without a call", { ...ASK, input: [RESULT] }, /pending/],
  ["I-33", "an unknown predecessor", { ...ASK, previous_interaction_id: ID }, /not found/],
];

describe("refuses what the service refuses", () => {
  test.each(REFUSED)("%s: %s", async (rule, _, body, message) => {
    const seen: (string | undefined)[] = [];
    const ask = service({ onAnswered: ({ answered }) => seen.push(answered.rule) });
    const unary = await ask("", body);
    expect(unary.json).toEqual({
      error: { message: expect.stringMatching(message), code: unary.status === 404 ? "not_found" : "invalid_request" },
    });
    const isBackground = body["background"] === true;
    const streamed = isBackground ? unary : await ask("", { ...body, stream: true });
    expect([streamed.status, streamed.text]).toEqual([unary.status, unary.text]);
    if (!isBackground) expect(streamed.type).toBe("text/event-stream");
    expect(new Set(seen)).toEqual(new Set([rule]));
  });

  test("each rule about requests is refused by a case above, or below", () => {
    const others = ["I-34", "I-35", "I-36", "I-37", "I-38", "I-39", "I-40", "I-41", "I-42"];
    expect(Object.keys(INTERACTION_RULES)).toEqual(
      [...new Set([...REFUSED.map(([rule]) => rule), ...others])].toSorted(),
    );
  });

  test("keys, in the shape of the front end", async () => {
    const ask = service();
    expect(await ask("", ASK, "POST", "bad")).toMatchObject({
      status: 400,
      json: [{ error: { status: "INVALID_ARGUMENT" } }],
    });
    expect((await ask("", ASK, "POST", "")).status).toBe(403);
  });

  test("what does not fit the state of an interaction", async () => {
    const ask = service({ interactions: { polls: 9 } });
    const { json } = await ask("", AGENT);
    expect((await ask("", { ...ASK, previous_interaction_id: json["id"] })).json["error"].message).toContain(
      "in progress",
    );
    expect((await ask(`/${json["id"]}?last_event_id=x`)).status).toBe(400);
    expect((await ask(`/${json["id"]}?last_event_id=x&stream=true`)).status).toBe(400);
    expect((await ask(`/${json["id"]}/cancel`, {})).json["status"]).toBe("cancelled");
    expect((await ask(`/${json["id"]}/cancel`, {})).json["error"].code).toBe("failed_precondition");
    expect((await ask(`/${json["id"]}`, undefined, "DELETE")).json).toEqual({});
    expect((await ask(`/${json["id"]}`)).status).toBe(404);
    // Of another key.
    const { json: own } = await ask("", ASK);
    expect((await ask(`/${own["id"]}`, undefined, "GET", "other")).status).toBe(404);
  });
});

describe("answers in the service's words", () => {
  test("members, in their order; GET with the question", async () => {
    const ask = service({ brain: script([say("Hi.")]), now: () => new Date("2026-10-05T14:46:04.123Z") });
    const { json, type } = await ask("", ASK);
    expect(Object.keys(json)).toEqual("id status usage created updated service_tier steps object model".split(" "));
    expect(type).toBe("application/json");
    expect(json).toMatchObject({
      status: "completed",
      created: "2026-10-05T14:46:04Z",
      steps: [
        { type: "thought", signature: expect.any(String) },
        { type: "model_output", content: [{ type: "text", text: "Hi." }] },
      ],
    });
    const { json: stored } = await ask(`/${json["id"]}?include_input=true`);
    expect(stored["steps"]).toEqual([USERS("Hello"), ...json["steps"]]);
    expect(stored["input"]).toEqual([USERS("Hello")]);
  });

  test("an interaction that is not stored has no id, or an empty one in a stream", async () => {
    const ask = service();
    expect(Object.keys((await ask("", { ...ASK, store: false })).json)[0]).toBe("status");
    const { text } = await ask("", { ...ASK, store: false, stream: true });
    expect(text.split("\n")[1]).toBe(
      'data: {"interaction":{"id":"","object":"interaction","model":"gemini-3.8-flash"},"event_type":"interaction.created"}',
    );
    expect(text.endsWith("event: done\ndata: [DONE]\n\n")).toBe(true);
  });

  test("calls and the turns after them, stored or with the client's own history", async () => {
    const ask = service({ brain: script([calls("f", "f"), say("Done."), call("f"), say("Done.")]) });
    const tools = { tools: [FUNCTION] };
    const { json } = await ask("", { ...ASK, ...tools });
    const asked: readonly Fields[] = json["steps"].filter(({ type }: Fields) => type === "function_call");
    expect([json["status"], asked.length, new Set(asked.map(({ signature }) => signature)).size]).toEqual([
      "requires_action",
      2,
      1,
    ]);
    const results = asked.map(({ id }) => ({ ...RESULT, call_id: id }));
    expect((await ask("", { ...ASK, input: results.slice(1), previous_interaction_id: json["id"] })).status).toBe(400);
    expect((await ask("", { ...ASK, input: results, previous_interaction_id: json["id"] })).json["status"]).toBe(
      "completed",
    );
    const own = await ask("", { ...ASK, ...tools, store: false });
    const steps = own.json["steps"];
    const answered = [{ type: "user_input", content: "Hello" }, ...steps, { ...RESULT, call_id: steps.at(-1).id }];
    expect((await ask("", { ...ASK, ...tools, store: false, input: answered })).json["status"]).toBe("completed");
  });

  test("a research: thoughts if asked for, searches, citations by bytes, an image", async () => {
    const report = [{ text: "Ü " }, { text: "x.", sources: [{ title: "a", url: "https://a.example" }] }];
    const ask = service({ interactions: { polls: 0, research: () => ({ report, image: "aGk=", queries: ["q"] }) } });
    const { json } = await ask("", { ...AGENT, agent_config: { type: "deep-research", thinking_summaries: "auto" } });
    expect(Object.keys(json)).toEqual("id status created updated object agent".split(" "));
    const { json: done } = await ask(`/${json["id"]}`);
    const [, thought, search, found, , output] = done["steps"];
    expect(thought.summary).toHaveLength(1);
    expect([search.type, search.arguments, found.call_id]).toEqual([
      "google_search_call",
      { queries: ["q"] },
      search.id,
    ]);
    expect(output.content).toEqual([
      { type: "text", text: "Ü " },
      { type: "image", mime_type: "image/png", data: "aGk=" },
      {
        type: "text",
        text: "x.",
        annotations: [{ type: "url_citation", url: "https://a.example", title: "a", start_index: 0, end_index: 2 }],
      },
    ]);
  });

  test("a plan first, if requested: each reply refines it, until a request without planning starts the research", async () => {
    const ask = service({ interactions: { polls: 0 } });
    let previous: unknown;
    const tell = async (input: string, plans: boolean): Promise<Said["json"]> => {
      const config = { agent_config: { type: "deep-research", collaborative_planning: plans } };
      const { json } = await ask("", { ...AGENT, ...config, input, previous_interaction_id: previous });
      previous = json["id"];
      return (await ask(`/${json["id"]}`)).json;
    };
    const lastOf = ({ steps }: Said["json"]): string => steps.at(-1).content[0].text as string;
    const first = await tell("Why?", true);
    expect([first["status"], lastOf(first)]).toEqual([
      "requires_action",
      expect.stringMatching(/^1. Search for Why\./),
    ]);
    const second = await tell("Only in Europe.", true);
    expect([second["status"], lastOf(second)]).toEqual([
      "requires_action",
      expect.stringContaining("4. Keep to the request"),
    ]);
    expect(lastOf(second)).toContain("Only in Europe.");
    const found = await tell("Go.", false);
    expect([found["status"], lastOf(found)]).toEqual(["completed", expect.stringMatching(/^# Why\n/)]);
    // After a research, the next message is another question.
    expect(lastOf(await tell("How?", false))).toMatch(/^# How\n/);
  });

  test("a resumed stream repeats the answer under new indexes, or continues", async () => {
    for (const resume of ["replay", "exact"] as const) {
      const ask = service({ deltaCharacters: 6, interactions: { resume } });
      const { json } = await ask("", AGENT);
      const whole = eventsIn((await ask(`/${json["id"]}?stream=true`)).text);
      const place = whole.findIndex(({ event_id: id }) => id !== undefined);
      const at = whole[place];
      const rest = eventsIn((await ask(`/${json["id"]}?last_event_id=${String(at?.["event_id"])}&stream=true`)).text);
      if (resume === "exact") expect(rest).toEqual(whole.slice(place + 1));
      else {
        expect(rest[0]).toEqual({ index: at?.["index"], event_type: "step.stop" });
        expect(rest[1]).toMatchObject({
          index: Number(at?.["index"]) + 1,
          event_type: "step.start",
          step: { type: "thought" },
        });
      }
    }
  });

  test.each([
    ["interaction.status_update", "in_progress"],
    ["interaction.completed", "completed"],
  ])("a reader that leaves after %s leaves a research that is %s", async (last, status) => {
    const emulator = createEmulator({ brain: improvise(), interactions: { polls: 5 } });
    const ask = (path: string, init: RequestInit): Promise<Response> =>
      emulator.fetch(`https://x.example/v1beta/interactions${path}`, { ...init, headers: { "x-goog-api-key": "k" } });
    const { id } = JSON.parse(await (await ask("", { method: "POST", body: JSON.stringify(AGENT) })).text()) as Fields;
    for await (const frame of (await ask(`/${String(id)}?stream=true`, {})).body ?? [])
      if (new TextDecoder().decode(frame).startsWith(`event: ${last}`)) break;
    expect(JSON.parse(await (await ask(`/${String(id)}`, {})).text())).toMatchObject({ status });
  });

  test("faults in the shape of this API", async () => {
    const at = (number: number, fault: ReturnType<typeof faults.overloaded>) => ({ at: number, fault });
    const ask = service({
      faults: [at(1, faults.overloaded()), at(2, faults.overloaded()), { at: 3, fault: faults.errorInStream() }],
    });
    expect(await ask("", ASK)).toMatchObject({ status: 503, json: { error: { code: "service_unavailable" } } });
    expect((await ask("", { ...ASK, stream: true })).type).toBe("text/event-stream");
    const { text } = await ask("", { ...ASK, stream: true });
    expect(text).toContain('event: error\ndata: {"error":{"message":');
    expect(text).not.toContain("[DONE]");
  });
});

function USERS(text: string): object {
  return { type: "user_input", content: [{ type: "text", text }] };
}

function eventsIn(text: string): readonly Fields[] {
  return [...text.matchAll(/^data: (\{.*)$/gm)].map(([, json = ""]) => JSON.parse(json) as Fields);
}
