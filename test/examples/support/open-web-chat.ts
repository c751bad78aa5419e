import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endpoint } from "@pollux/core/wire";
import { type Brain, createEmulator } from "@pollux/emulator";
import { buildPage } from "../../../examples/web-chat/server/build-page.ts";
import { emulation } from "../../../examples/web-chat/server/emulation.ts";
import { startWebChat } from "../../../examples/web-chat/server/web-chat.ts";

/** The web chat of the examples, built and served. Close it with `await using`. */
export interface OpenWebChat extends AsyncDisposable {
  readonly url: string;
}

export interface OpenWebChatOptions {
  /** Milliseconds between two pieces of an answer. */
  readonly chunkMs: number;
  /** @defaultValue that of the example */
  readonly brain?: Brain | undefined;
}

export async function openWebChat({ chunkMs, brain }: OpenWebChatOptions): Promise<OpenWebChat> {
  const folder = await mkdtemp(join(tmpdir(), "pollux-web-chat-"));
  const page = join(folder, "page");
  const [emulator] = await Promise.all([
    createEmulator({ ...emulation(), ...(brain && { brain }), delays: { chunkMs } }).listen(),
    buildPage(page),
  ]);
  const chat = await startWebChat({
    endpoint: endpoint({ baseUrl: emulator.url }),
    model: "gemini-flash-latest",
    data: join(folder, "data"),
    page,
    port: 0,
  });
  return {
    url: chat.url,
    [Symbol.asyncDispose]: async () => {
      await chat[Symbol.asyncDispose]();
      await emulator.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
