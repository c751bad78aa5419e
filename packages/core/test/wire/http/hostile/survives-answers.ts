import { Agent, AgentError, defineTool, endpoint, gemini } from "@pollux/core";
import fc from "fast-check";
import { expect } from "vitest";
import { processorTime } from "../../../helpers/processor-time.ts";
import { chunksOf, type HostileAnswer, hostileAnswer } from "./hostile-bodies.ts";

/** Only ends a hang: a hundred times the time of the slowest answer on a machine of 2020. */
const FREEZE_MS = 20_000;

const look = defineTool({ name: "look", description: "x", run: () => "seen" });

function respond(answer: HostileAnswer): Response {
  const { status, contentType, breaks } = answer;
  const chunks = chunksOf(answer);
  let next = 0;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      const chunk = chunks[next++];
      if (chunk !== undefined) controller.enqueue(chunk);
      else if (breaks) controller.error(new TypeError("terminated"));
      else controller.close();
    },
  });
  return new Response(body, { status, headers: contentType === "" ? {} : { "content-type": contentType } });
}

/**
 * Reads many hostile answers of a service: through the loop, over both transports and both faces, and as lists and counts. Each gives a
 * result that can be written as JSON, or a typed error, and the next message is answered.
 */
export async function survivesAnswers(count: number): Promise<void> {
  let finished = 0;
  const ways = fc.record({
    answer: hostileAnswer,
    transport: fc.constantFrom("stream", "unary"),
    isWatched: fc.boolean(),
  });
  const property = fc.asyncProperty(ways, async ({ answer, transport, isWatched }) => {
    const took = await processorTime(async () => {
      let asked = 0;
      const model = gemini("gemini-2.5-flash", {
        transport,
        endpoint: endpoint({ baseUrl: "https://gemini.example", apiKey: "k", kind: "developer" }),
        fetch: async () => {
          asked++;
          return asked === 1 ? respond(answer) : new Response(GOOD[transport]);
        },
        retry: { maxAttempts: 1 },
      });
      const chat = new Agent({ model, tools: [look], limits: { restarts: 0 } }).session();
      try {
        const running = chat.stream("Go.");
        if (isWatched) for await (const event of running) JSON.stringify(event);
        const result = await running.result();
        // A short answer must not become a value that fills the memory.
        expect(JSON.stringify(result).length).toBeLessThan(5_000_000 + 20 * answer.body.length);
        if (result.stopReason === "finished" && asked === 1) finished++;
      } catch (error) {
        expect(error).toBeInstanceOf(AgentError);
      }
      expect(await chat.send("Still there?")).toMatchObject({ stopReason: "finished", text: "Here." });
      asked = 0;
      try {
        JSON.stringify(
          await model.countTokens({ contents: await chat.history(), functions: [], builtIns: [], settings: {} }),
        );
      } catch (error) {
        expect(error).toBeInstanceOf(AgentError);
      }
    });
    expect(took).toBeLessThan(FREEZE_MS);
    expect("polluted" in {}).toBe(false);
  });
  await fc.assert(property, { numRuns: count });
  // Otherwise the test would have tried nothing.
  expect(finished).toBeGreaterThan(count / 100);
}

const HERE = '{"candidates":[{"content":{"role":"model","parts":[{"text":"Here."}]},"finishReason":"STOP"}]}';
const GOOD = { stream: `data: ${HERE}\n\n`, unary: HERE };
