import { Agent, defineTool, MemoryStore, type Model } from "@pollux/core";
import { say, ScriptedModel, type ScriptLine } from "@pollux/core/testing";
import { chatHandler, type ChatHandler, type ChatHandlerOptions } from "@pollux/web";
import { aiSdk, type UIMessageChunk } from "@pollux/web/ai-sdk";
import { z } from "zod";

/** A model whose answers stop after each word until the test lets them go on. */
export class SteppedModel implements Model {
  readonly #scripted: ScriptedModel;
  readonly #waiting: (() => void)[] = [];
  #free = 0;
  #isOpen = false;

  constructor(...script: readonly ScriptLine[]) {
    this.#scripted = new ScriptedModel(...script);
  }

  get id(): string {
    return this.#scripted.id;
  }

  get capabilities(): Model["capabilities"] {
    return this.#scripted.capabilities;
  }

  get requests(): ScriptedModel["requests"] {
    return this.#scripted.requests;
  }

  check(...args: Parameters<ScriptedModel["check"]>): void {
    this.#scripted.check(...args);
  }

  /** How many answers wait to go on. */
  get held(): number {
    return this.#waiting.length;
  }

  /** Lets so many more words be said. */
  say(words: number = 1): void {
    this.#free += words;
    this.#let();
  }

  /** Nothing stops any more. */
  finish(): void {
    this.#isOpen = true;
    this.#let();
  }

  async respond(...[request, options]: Parameters<Model["respond"]>): ReturnType<Model["respond"]> {
    const onParts: typeof options.onParts = async (batch) => {
      await this.#turn(options.signal);
      await options.onParts?.(batch);
    };
    return await this.#scripted.respond(request, { ...options, onParts });
  }

  async #turn(signal: AbortSignal): Promise<void> {
    let abort = (): void => {};
    try {
      await new Promise<void>((resolve, reject) => {
        abort = () => reject(signal.reason as Error);
        signal.addEventListener("abort", abort, { once: true });
        this.#waiting.push(resolve);
        this.#let();
      });
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  #let(): void {
    while (this.#waiting.length > 0 && (this.#isOpen || this.#free > 0)) {
      this.#free -= 1;
      this.#waiting.shift()?.();
    }
  }
}

/** Asks before it is run. */
export const pay = defineTool({
  name: "pay",
  description: "Pays an invoice.",
  editable: ["euros"],
  input: z.object({ euros: z.number() }),
  needsApproval: true,
  approvedBy: "user",
  run: ({ euros }) => ({ paid: euros }),
});

/** Runs in the client. */
export const whereAmI = defineTool({
  name: "where_am_i",
  description: "The position of the user.",
  approvedBy: "user",
  input: z.object({}),
});

/** What a test needs of a handler; visitors are who they say they are in a header. */
export interface Page {
  readonly handler: ChatHandler;
  readonly store: NonNullable<ChatHandlerOptions["store"]>;
  /** Lines of the log. */
  readonly lines: readonly { readonly err?: unknown; readonly reference?: string }[];
  ask(method: string, path: string, options?: AskOptions): Promise<Response>;
  /** Sends a message as `useChat` does. */
  send(text: string, options?: AskOptions & { readonly chat?: string; readonly id?: string }): Promise<Response>;
}

export interface AskOptions {
  readonly owner?: string;
  readonly body?: unknown;
  readonly headers?: { readonly [name: string]: string };
  readonly signal?: AbortSignal;
  readonly waitUntil?: (work: Promise<unknown>) => void;
}

export const ORIGIN = "https://chat.example.com";

export function openPage(
  model: Model = new ScriptedModel(say("Hello.")),
  given: Partial<ChatHandlerOptions> & { readonly agent?: Agent } = {},
): Page {
  const store = given.store ?? new MemoryStore();
  const lines: { readonly err?: unknown; readonly reference?: string }[] = [];
  const handler = chatHandler({
    agent: new Agent({ model, tools: [pay, whereAmI] }),
    store,
    authorize: ({ headers }) => ({ owner: headers.get("x-user") ?? "ann" }),
    protocol: aiSdk(),
    logger: { error: (facts) => void lines.push(facts) },
    ...given,
  });
  const ask: Page["ask"] = async (method, path, options = {}) => {
    const { owner = "ann", body, headers, signal, waitUntil } = options;
    const request = new Request(`${ORIGIN}/api/chat${path}`, {
      method,
      headers: {
        accept: "application/json",
        "x-user": owner,
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
      ...(signal && { signal }),
    });
    return await handler(request, { waitUntil });
  };
  return {
    handler,
    store,
    lines,
    ask,
    send: (text, { chat = "c1", id = crypto.randomUUID(), ...options } = {}) =>
      ask("POST", "", { ...options, body: { id: chat, messages: [userMessage(text, id)] } }),
  };
}

export function userMessage(text: string, id: string): object {
  return { id, role: "user", parts: [{ type: "text", text }] };
}

/** The chunks of a response, one by one. Leaving them leaves the response. */
export async function* readChunks(response: Response): AsyncGenerator<UIMessageChunk, void> {
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  let rest = "";
  for await (const text of (response.body ?? new ReadableStream<never>()).pipeThrough(new TextDecoderStream())) {
    rest += text;
    const events = rest.split("\n\n");
    rest = events.pop() ?? "";
    for (const event of events)
      if (event.startsWith("data: {")) yield JSON.parse(event.slice("data: ".length)) as UIMessageChunk;
  }
}

export async function allChunks(response: Response): Promise<readonly UIMessageChunk[]> {
  return await restOf(readChunks(response));
}

/** What comes after those that were read. */
export async function restOf(chunks: AsyncGenerator<UIMessageChunk, void>): Promise<readonly UIMessageChunk[]> {
  const rest: UIMessageChunk[] = [];
  for await (const chunk of chunks) rest.push(chunk);
  return rest;
}

/** What a stream says. */
export function textOf(chunks: readonly UIMessageChunk[]): string {
  return chunks.map((chunk) => (chunk.type === "text-delta" ? chunk.delta : "")).join("");
}

/** Reads until a text was said; the rest can be read on. */
export async function readUntil(chunks: AsyncIterator<UIMessageChunk, void>, text: string): Promise<void> {
  let said = "";
  while (!said.includes(text)) {
    const { done, value } = await chunks.next();
    if (done === true) throw new Error(`the stream ended with "${said}"`);
    said += textOf([value]);
  }
}

export async function errorOf(response: Response): Promise<{ readonly status: number; readonly code: string }> {
  const { error } = (await response.json()) as { readonly error: { readonly code: string } };
  return { status: response.status, code: error.code };
}
