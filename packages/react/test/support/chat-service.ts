import { onTestFinished, vi } from "vitest";

/** Answers of a chat handler that a test writes, for pages whose `fetch` it stands in for. */
export interface ChatService {
  /** The requests, as `POST /api/chat`. */
  readonly asked: readonly string[];
  /** Chunks of the stream that is open, as of the AI SDK. */
  readonly write: (...chunks: readonly object[]) => void;
  /** Ends it. */
  readonly end: () => void;
  /** Whether the page has let go of it. */
  readonly isLetGo: () => boolean;
}

/** @param refuse - What a request is answered with instead; undefined for the usual answer. */
export function serveChat(refuse: (line: string) => Response | Error | undefined = () => undefined): ChatService {
  const asked: string[] = [];
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let letGo = false;
  const open = (signal: AbortSignal | null | undefined): Response => {
    const body = new ReadableStream<Uint8Array>({
      start: (opened) => {
        controller = opened;
        signal?.addEventListener("abort", () => {
          letGo = true;
          opened.error(signal.reason);
        });
      },
      cancel: () => {
        letGo = true;
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  };
  vi.stubGlobal("fetch", async (input: string, init: RequestInit = {}): Promise<Response> => {
    const line = `${init.method ?? "GET"} ${input}`;
    asked.push(line);
    const refusal = refuse(line);
    if (refusal instanceof Error) throw refusal;
    if (refusal !== undefined) return refusal;
    if (line.startsWith("POST") || line.includes("/stream")) return open(init.signal);
    return Response.json({ chats: [], messages: [], state: "idle" });
  });
  onTestFinished(() => void vi.unstubAllGlobals());
  const encoder = new TextEncoder();
  return {
    asked,
    write: (...chunks) => {
      for (const chunk of chunks) controller?.enqueue(encoder.encode(`data: ${JSON.stringify(chunk)}\n\n`));
    },
    end: () => {
      controller?.enqueue(encoder.encode("data: [DONE]\n\n"));
      controller?.close();
    },
    isLetGo: () => letGo,
  };
}
