import { type AnyTool, defineTool, endpoint, gemini, type GeminiModel, type GeminiOptions } from "@pollux/core";
import { z } from "zod";

const encoder = new TextEncoder();

/** A service whose answers are bytes before the first request arrives, so that no count includes creating them. */
export interface CountedService {
  readonly model: GeminiModel;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Bodies as `fetch` received them. */
  readonly bodies: readonly Uint8Array[];
}

/** Called with each request before it is answered. */
export type OnRequest = (init: RequestInit, number: number) => Response | undefined;

/** The chunks of an answer, one per part; each arrives in a read of its own. */
export function chunks(parts: readonly object[]): readonly Uint8Array[] {
  return parts.map((part, index) => {
    const isLast = index === parts.length - 1;
    const usageMetadata = { promptTokenCount: 100, candidatesTokenCount: index + 1, totalTokenCount: 101 + index };
    const candidate = { content: { role: "model", parts: [part] }, ...(isLast && { finishReason: "STOP" }), index: 0 };
    return encoder.encode(`data: ${JSON.stringify({ candidates: [candidate], usageMetadata })}\r\n\r\n`);
  });
}

/** Answers for `count` turns: each calls the tool, except the last, which says "Done.". */
export function turns(count: number): readonly (readonly Uint8Array[])[] {
  const calls = Array.from({ length: count - 1 }, (_, index) =>
    chunks([{ functionCall: { id: `call-${index}`, name: "look", args: { page: index } } }]),
  );
  return [...calls, chunks([{ text: "Done." }])];
}

/** Answers request by request. */
export function countedService(
  answers: readonly (readonly Uint8Array[])[],
  onRequest: OnRequest = () => undefined,
  options: GeminiOptions = {},
): CountedService {
  const bodies: Uint8Array[] = [];
  let next = 0;
  const fetch = async (_url: string, init: RequestInit): Promise<Response> => {
    // The client sends nothing else.
    const number = bodies.push(init.body as Uint8Array);
    const refused = onRequest(init, number);
    if (refused !== undefined) return refused;
    const answer = answers[next++ % answers.length] ?? [];
    let at = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          const chunk = answer[at++];
          if (chunk === undefined) controller.close();
          else controller.enqueue(chunk);
        },
      },
      { highWaterMark: 0 },
    );
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  };
  const model = gemini("gemini-2.5-flash", {
    endpoint: endpoint({ baseUrl: "http://service.local", apiKey: "key" }),
    fetch,
    retry: { minDelayMs: 1, maxDelayMs: 1 },
    ...options,
  });
  return { model, fetch, bodies };
}

/** The result of {@link look} for each page: one kilobyte. */
export const PAGE: string = "A ship passed. ".repeat(70).slice(0, 1024);

/** A function with a result of one kilobyte. */
export const look: AnyTool = defineTool({
  name: "look",
  description: "Looks at a page.",
  input: z.object({ page: z.number() }),
  reads: "trusted",
  run: () => PAGE,
});
