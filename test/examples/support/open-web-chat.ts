import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endpoint } from "@pollux/core/wire";
import { type Brain, createEmulator } from "@pollux/emulator";
import { emulation } from "../../../examples/web-chat/server/emulation.ts";
import { startWebChat } from "../../../examples/web-chat/server/web-chat.ts";
import { AnswerGate } from "./answer-gate.ts";

/** The web chat of the examples, served. Close it with `await using`. */
export interface OpenWebChat extends AsyncDisposable {
  readonly url: string;
  /** Between the chat and its model. */
  readonly gate: AnswerGate;
}

export interface OpenWebChatOptions {
  /** The folder of the built page. */
  readonly page: string;
  /** Milliseconds between two chunks of an answer. */
  readonly chunkMs: number;
  /** @defaultValue the example's own */
  readonly brain?: Brain | undefined;
}

export async function openWebChat({ page, chunkMs, brain }: OpenWebChatOptions): Promise<OpenWebChat> {
  const folder = await mkdtemp(join(tmpdir(), "pollux-web-chat-"));
  const gate = await AnswerGate.open(createEmulator({ ...emulation(), ...(brain && { brain }), delays: { chunkMs } }));
  const chat = await startWebChat({
    endpoint: endpoint({ baseUrl: gate.url }),
    model: "gemini-flash-latest",
    data: folder,
    page,
    port: 0,
  });
  return {
    url: chat.url,
    gate,
    [Symbol.asyncDispose]: async () => {
      gate.release();
      await chat[Symbol.asyncDispose]();
      await gate[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
