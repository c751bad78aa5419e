import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import { Agent, type AgentOptions, defineTool, type Endpoint, gemini, type Logger, MemoryStore } from "@pollux/core";
import { z } from "zod";
import { bodyText, pick, type Send, Unanswered } from "./service.ts";

/** The environment of a law's check. */
export interface Lab {
  readonly endpoint: Endpoint;
  readonly send: Send;
  readonly model: string;
  readonly logger: Logger;
}

/** A promise of the library, checked against the service. */
export interface Law {
  readonly id: string;
  readonly states: string;
  /** @returns A remark, if any. @throws When the law does not hold. */
  readonly check: (lab: Lab) => Promise<string>;
}

const QUESTION = "Compare the temperature in Paris and Rome.";
const cities = z.object({ city: z.string() });
const weather = (run: (city: string) => unknown = (city) => ({ city, celsius: city === "Paris" ? 9 : 17 })) =>
  defineTool({
    name: "get_weather",
    description: "Current temperature in a city, in degrees Celsius.",
    input: cities,
    run: ({ city }) => run(city),
  });

interface Exchange {
  readonly body: string;
  answer: string;
  cancelled: boolean;
}

/** An agent with recorded requests and answers. */
function observed(
  { endpoint, send, model, logger }: Lab,
  options: Partial<AgentOptions> = {},
): { readonly agent: Agent; readonly seen: Exchange[] } {
  const seen: Exchange[] = [];
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const exchange: Exchange = { body: bodyText(init.body), answer: "", cancelled: false };
    seen.push(exchange);
    const response = await send(url, init);
    if (response.body === null) return response;
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    const body = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          const { done, value } = await reader.read();
          if (done) return controller.close();
          exchange.answer += decoder.decode(value, { stream: true });
          controller.enqueue(value);
        },
        async cancel(reason) {
          exchange.cancelled = true;
          await reader.cancel(reason);
        },
      },
      { highWaterMark: 0 },
    );
    return new Response(body, { status: response.status, headers: response.headers });
  };
  const agent = new Agent({
    model: gemini(model, { endpoint, fetch }),
    tools: [weather()],
    settings: { maxOutputTokens: 2_048 },
    logger,
    ...options,
  });
  return { agent, seen };
}

const contentsOf = ({ body }: Exchange): readonly unknown[] => pick(JSON.parse(body), "contents") as readonly unknown[];
const partsOf = (content: unknown): readonly unknown[] => pick(content, "parts") as readonly unknown[];
const eventsIn = (answer: string): readonly unknown[] =>
  answer
    .split(/\r?\n/)
    .filter((line) => /^data: ?\{/.test(line))
    .map((line) => JSON.parse(line.slice(5)) as unknown);
/** The parts of an answer, by plain reading of its events. */
const partsIn = ({ answer }: Exchange): readonly unknown[] =>
  eventsIn(answer).flatMap((event) => (pick(event, "candidates", 0, "content", "parts") ?? []) as readonly unknown[]);
const isText = (part: unknown): boolean =>
  pick(part, "text") !== undefined && pick(part, "thoughtSignature") === undefined;

/** Without a call, the law was not tested. */
function noCall(): never {
  throw new Unanswered("the model made no call");
}

/** Ignores an expected error, and throws any other. */
const orThrow =
  (isExpected: () => boolean) =>
  (error: unknown): true => {
    if (!isExpected()) throw error;
    return true;
  };

export const LAWS: readonly Law[] = [
  {
    id: "law-1-verbatim",
    states: "A model content goes back as it came, signatures included, and the service takes it.",
    async check(lab) {
      const { agent, seen } = observed(lab);
      const result = await agent.run(QUESTION);
      assert.equal(result.stopReason, "finished");
      const [first, second] = seen;
      if (!first || !second) return noCall();
      // Adjacent text deltas are joined; everything else is compared verbatim.
      const echoed = partsOf(contentsOf(second)[1]).filter((part) => !isText(part));
      assert.deepEqual(
        echoed,
        partsIn(first).filter((part) => !isText(part)),
      );
      return `${echoed.filter((part) => pick(part, "thoughtSignature") !== undefined).length} signed parts`;
    },
  },
  {
    id: "law-2-one-loop",
    states: "run and stream send the same request.",
    async check(lab) {
      const ran = observed(lab, { tools: [] });
      const streamed = observed(lab, { tools: [] });
      await ran.agent.run("Say hi.");
      await streamed.agent.stream("Say hi.").result();
      assert.equal(streamed.seen[0]?.body, ran.seen[0]?.body);
      return "";
    },
  },
  {
    id: "law-3-every-call-answered",
    states: "Every call is answered once, in order, in one content of its own.",
    async check(lab) {
      const { agent, seen } = observed(lab);
      assert.equal((await agent.run(QUESTION)).stopReason, "finished");
      const contents = contentsOf(seen.at(-1) ?? assert.fail("nothing was sent"));
      let calls = 0;
      for (const [index, content] of contents.entries()) {
        const made = partsOf(content).flatMap((part) => pick(part, "functionCall") ?? []);
        if (made.length === 0) continue;
        calls += made.length;
        const answers = partsOf(contents[index + 1]).map((part) => pick(part, "functionResponse"));
        assert.deepEqual(
          answers.map((one) => [pick(one, "id"), pick(one, "name")]),
          made.map((one) => [pick(one, "id"), pick(one, "name")]),
        );
      }
      if (calls === 0) return noCall();
      return `${calls} calls`;
    },
  },
  {
    id: "law-4-stable-prefix",
    states: "Each request begins with the bytes of the one before.",
    async check(lab) {
      const { agent, seen } = observed(lab, { instructions: "You compare the weather of cities. ".repeat(700) });
      const { usage } = await agent.run(QUESTION);
      if (seen.length < 2) return noCall();
      for (const [index, { body }] of seen.entries()) {
        const before = seen[index - 1]?.body;
        // Up to the end of its contents: later fields may change.
        const prefix = before?.slice(0, before.lastIndexOf('],"generationConfig"'));
        if (prefix !== undefined) assert.ok(body.startsWith(prefix), `request ${index + 1} has another prefix`);
      }
      return `${usage.cachedTokens} of ${usage.inputTokens} prompt tokens came from the cache`;
    },
  },
  {
    id: "law-5-failure-is-data",
    states: "A tool that throws is a response that the model reads.",
    async check(lab) {
      const { agent, seen } = observed(lab, {
        tools: [
          weather(() => {
            throw new Error("the station is closed");
          }),
        ],
      });
      assert.equal((await agent.run("What is the temperature in Paris?")).stopReason, "finished");
      assert.match(seen[1]?.body ?? "", /"functionResponse":.*"error":"/);
      return "";
    },
  },
  {
    id: "law-6-unknown-is-a-case",
    states: "Every member of an answer is in the result, known or not.",
    async check(lab) {
      const { agent, seen } = observed(lab, { tools: [] });
      const result = await agent.run("Say hi.");
      assert.equal(result.stopReason, "finished");
      const sent = eventsIn(seen.at(-1)?.answer ?? "").at(-1) ?? {};
      const { envelope, candidate } = result.response ?? {};
      const kept = new Set([...Object.keys(envelope ?? {}), "candidates"]);
      assert.deepEqual(
        Object.keys(sent).filter((key) => !kept.has(key)),
        [],
      );
      const members = Object.keys(pick(sent, "candidates", 0) ?? {});
      assert.deepEqual(
        members.filter((key) => key !== "content" && !Object.hasOwn(candidate ?? {}, key)),
        [],
      );
      return `${Object.keys(sent).length + members.length} members`;
    },
  },
  {
    id: "law-7-abort",
    states: "An abort ends the run and its request at once.",
    async check(lab) {
      const { agent, seen } = observed(lab, { tools: [] });
      const controller = new AbortController();
      const stream = agent.stream("Count from 1 to 300 in words.", { signal: controller.signal });
      const reading = async (): Promise<void> => {
        for await (const event of stream) if (event.type === "text-delta") controller.abort(new Error("enough"));
        await stream.result();
      };
      await assert.rejects(
        reading,
        orThrow(() => controller.signal.aborted),
      );
      await Promise.race([
        stream.result().catch(() => {}),
        setTimeout(60_000, undefined, { ref: false }).then(() => assert.fail("the run went on for a minute")),
      ]);
      assert.equal(seen.length, 1);
      return seen[0]?.cancelled === true ? "the body was cancelled" : "the answer had come whole";
    },
  },
  {
    id: "law-8-no-effect-twice",
    states: "A resumed run does not repeat a tool that has finished.",
    async check(lab) {
      const effects: string[] = [];
      let requests = 0;
      // The first run ends after its calls; a refusal is not worth a retry.
      const send: Send = async (url, init) =>
        (requests += 1) > 1 ? Response.json({ error: { message: "Not now." } }, { status: 400 }) : lab.send(url, init);
      const tools = [
        weather((city) => {
          effects.push(city);
          return { celsius: 9 };
        }),
      ];
      const store = new MemoryStore();
      const session = (one: Lab) => observed(one, { tools }).agent.session({ id: "live", store });
      const sending = session({ ...lab, send }).send("What is the temperature in Paris?");
      await sending.then(
        noCall,
        orThrow(() => requests > 1),
      );
      const before = effects.length;
      const result = await session(lab).resume();
      assert.equal(result.stopReason, "finished");
      assert.equal(effects.filter((city) => city === effects[0]).length, 1);
      return `${before} effects before, ${effects.length} in all`;
    },
  },
];
