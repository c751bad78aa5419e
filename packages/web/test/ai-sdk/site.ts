import { Agent, MemoryStore, type Model, type OutputGuardrail, type SessionStore, type Usage } from "@pollux/core";
import { say, type ScriptLine } from "@pollux/core/testing";
import { type ChatHandler, chatHandler, type ChatHandlerOptions } from "@pollux/web";
import { aiSdk, type AiSdkVersion, type UIMessage, withoutDiscards } from "@pollux/web/ai-sdk";
import { expect, vi } from "vitest";
import { until } from "../../../core/test/helpers/until.ts";
import { SteppedModel } from "../handler/chat-page.ts";
import { type ChatClient, type ChatClientOptions, openChat } from "./chat-client.ts";
import type { BuiltMessage } from "./page.ts";

export const API: string = "https://chat.example.com/api/chat";
export const LINES: readonly ScriptLine[] = [say("One ", "two ", "three."), say("Well.")];

/** Tells what an answer has used that is cut off, as the service does. */
class PaidModel extends SteppedModel {
  override async respond(...[request, options]: Parameters<Model["respond"]>): ReturnType<Model["respond"]> {
    try {
      return await super.respond(request, options);
    } catch (error) {
      options.onLost?.({ ...NO_USAGE, inputTokens: 7, outputTokens: 2, totalTokens: 9 });
      throw error;
    }
  }
}

/** A chat that is served by one process or more, and the pages that show it. */
export class Site {
  readonly model: SteppedModel;
  readonly #version: AiSdkVersion;
  readonly #handlers: readonly ChatHandler[];

  constructor(
    version: AiSdkVersion,
    {
      lines = LINES,
      mask,
      stores = [new MemoryStore()],
      ...options
    }: Partial<ChatHandlerOptions> & {
      readonly lines?: readonly ScriptLine[];
      readonly mask?: RegExp;
      readonly stores?: readonly SessionStore[];
    } = {},
  ) {
    this.#version = version;
    this.model = new PaidModel(...lines);
    const output: readonly OutputGuardrail[] =
      mask === undefined
        ? []
        : [{ name: "mask", check: ({ text }) => ({ replace: text.replace(mask, "***"), reason: "a test" }) }];
    const agent = new Agent({ model: this.model, prices: { input: 1, output: 1 }, guardrails: { output } });
    this.#handlers = stores.map((store) =>
      chatHandler({
        agent,
        store,
        authorize: () => ({ owner: "ann" }),
        protocol: aiSdk({ version }),
        logger: { error: () => {} },
        ...options,
      }),
    );
  }

  /** The network of a page, by which it reaches one of the processes. */
  fetch(process: number = 0): typeof fetch {
    return async (input, init) => {
      const response = await this.#handlers[process]?.(new Request(input, init));
      if (response === undefined) throw new TypeError("fetch failed");
      return response;
    };
  }

  open(process: number = 0, options: Partial<ChatClientOptions> = {}): ChatClient {
    return openChat(this.#version, { id: "c", fetch: this.fetch(process), ...options });
  }

  /** Sends a message, and lets all be said that is to be said then. */
  async sendTo(client: ChatClient, text: string, isTaken: boolean = true): Promise<void> {
    const before = this.model.requests.length;
    const sent = hurry(client.sendMessage({ text }));
    if (isTaken) {
      await until(() => this.model.requests.length === before + 1);
      this.model.finish();
    }
    await sent;
  }

  async load(): Promise<{ readonly state: string; readonly messages: readonly BuiltMessage[] }> {
    // As the handler writes it.
    return (await (await this.fetch()(`${API}/c`)).json()) as { state: string; messages: BuiltMessage[] };
  }
}

export function textsOf({ messages }: { readonly messages: readonly BuiltMessage[] }): readonly string[] {
  return messages.map((message) =>
    withoutDiscards(message as UIMessage)
      .parts.map((part) => (part.type === "text" ? part.text : ""))
      .join(""),
  );
}

/** Asks, and reads the answer as far as its second word. */
export async function ask(site: Site, client: ChatClient): Promise<void> {
  void client.sendMessage({ text: "Count." });
  await expect.poll(() => site.model.held).toBe(1);
  site.model.say(2);
  await expect.poll(() => textsOf(client).at(-1)).toBe("One two ");
}

const NO_USAGE: Usage = {
  requests: 0,
  inputTokens: 0,
  cachedTokens: 0,
  outputTokens: 0,
  thoughtTokens: 0,
  toolUseTokens: 0,
  totalTokens: 0,
  contextTokens: 0,
  searchQueries: 0,
  incomplete: false,
};

/** Waits for what takes its time, without taking it. */
export async function hurry<T>(work: Promise<T>): Promise<T> {
  const waiting = new AbortController();
  const over = work.finally(() => waiting.abort());
  while (!waiting.signal.aborted) {
    await vi.advanceTimersByTimeAsync(10);
    // Files are read in real time.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return await over;
}

/** What a page says of an error. */
export function messageOf(error: Error | undefined): string | undefined {
  return error?.message;
}

export const whole: readonly string[] = ["Count.", "One two three."];
export const replaced: readonly string[] = ["Count.", "One two ", "Never mind.", "Well."];

/** Two tabs, each in a process of its own: while the other reads, none of the processes lets the first say something else. */
export async function sendsFromBoth(site: Site, wait: <T>(work: Promise<T>) => Promise<T>): Promise<void> {
  const client = site.open(0);
  await ask(site, client);
  const tab = site.open(1, { messages: (await site.load()).messages });
  const reading = tab.resumeStream();
  await expect.poll(() => tab.status).toBe("streaming");
  await client.stop();
  const { messages } = client;
  for (const process of [0, 1]) {
    const next = site.open(process, { messages });
    await wait(next.sendMessage({ text: "Never mind." }));
    expect(messageOf(next.error)).toContain("somewhere else");
  }
  await tab.stop();
  await reading;
  const next = site.open(1, { messages });
  const sent = wait(next.sendMessage({ text: "Never mind." }));
  await expect.poll(() => site.model.requests.length).toBe(2);
  site.model.finish();
  await sent;
  expect([next.error, textsOf(next)]).toEqual([undefined, replaced]);
}
