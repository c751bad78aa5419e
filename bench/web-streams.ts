import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createEmulator, say } from "@pollux/emulator";

// Many chats at once in one process: `node bench/web-streams.ts [--streams 1000] [--seconds 20] [--cuts 1] [--store
// sqlite]`. The answers begin once all chats are open; each second so many in a hundred are cut and followed again.
// Every answer is checked for its words.

const { values } = parseArgs({
  options: {
    streams: { type: "string", default: "1000" },
    seconds: { type: "string", default: "20" },
    cuts: { type: "string", default: "1" },
    store: { type: "string", default: "memory" },
  },
});
const STREAMS = Number(values.streams);
/** Words of each answer, two a second. */
const WORDS = Number(values.seconds) * 2;
const WORD_MS = 500;
/** How likely it is that a connection is cut at a word. */
const CUT_CHANCE = Number(values.cuts) / 100 / 2;
const answer = Array.from({ length: WORDS }, (_, index) => `word${String(index).padStart(4, "0")} `).join("");

interface Usage {
  readonly cpuMs: number;
  readonly rss: number;
  readonly heapUsed: number;
}

/** A page that follows its chat until the answer is complete. */
class Page {
  readonly #url: string;
  readonly #chat: string;
  #leave = new AbortController();
  #isCut = false;
  isOpen = false;
  /** Chunks that came. */
  events = 0;
  cuts = 0;

  constructor(url: string, chat: string) {
    this.#url = `${url}/api/chat`;
    this.#chat = chat;
  }

  /** @returns The text at the end. */
  async run(): Promise<string> {
    let text = await this.#follow(await this.#send());
    while (text === undefined) {
      this.cuts++;
      const response = await fetch(`${this.#url}/${this.#chat}/stream`, { signal: this.#leave.signal });
      text = response.status === 204 ? await this.#load() : await this.#follow(response);
    }
    return text;
  }

  /** Sends the message and waits for the first words. @returns Milliseconds. */
  async firstWords(): Promise<number> {
    const started = performance.now();
    const response = await this.#send();
    for await (const chunk of chunksOf(response)) if (chunk.includes("text-delta")) break;
    return performance.now() - started;
  }

  async #send(): Promise<Response> {
    const message = { id: "m1", role: "user", parts: [{ type: "text", text: "Count." }] };
    return await fetch(this.#url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ id: this.#chat, message }),
      signal: this.#leave.signal,
    });
  }

  /** The answer, when it has ended before it could be followed. */
  async #load(): Promise<string> {
    const { messages } = (await (await fetch(`${this.#url}/${this.#chat}`)).json()) as {
      readonly messages: readonly { readonly parts: readonly { readonly text?: string }[] }[];
    };
    return (messages.at(-1)?.parts ?? []).map(({ text = "" }) => text).join("");
  }

  /** @returns Undefined when it was cut. */
  async #follow(response: Response): Promise<string | undefined> {
    let text = "";
    try {
      for await (const chunk of chunksOf(response)) {
        this.isOpen = true;
        this.events++;
        if (!chunk.includes('"text-delta"')) continue;
        text += (JSON.parse(chunk) as { readonly delta: string }).delta;
        if (this.#isCut || nextRandom() >= CUT_CHANCE) continue;
        this.#isCut = true;
        this.#leave.abort();
      }
      return text;
    } catch (error) {
      if (!this.#isCut) throw error;
      this.#isCut = false;
      this.#leave = new AbortController();
      return undefined;
    } finally {
      this.isOpen = false;
    }
  }
}

const random = { state: 1 };

/** From 0 to 1, the same numbers each time. */
function nextRandom(): number {
  random.state = (random.state * 48_271) % 2_147_483_647;
  return random.state / 2_147_483_647;
}

async function* chunksOf(response: Response): AsyncGenerator<string, void> {
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  let rest = "";
  for await (const text of (response.body ?? new ReadableStream<never>()).pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.startsWith("data: {")) yield line.slice("data: ".length);
  }
}

/** The median of so many measurements, one after the other. */
async function median(count: number, measure: (index: number) => Promise<number>): Promise<number> {
  const all: number[] = [];
  for (let index = 0; index < count; index++) all.push(await measure(index));
  return all.toSorted((a, b) => a - b)[Math.floor(count / 2)] ?? 0;
}

const folder = await mkdtemp(join(tmpdir(), "pollux-web-streams-"));
const delays = { chunkMs: 0 };
const chats = { allOpen: Promise.resolve() };
const emulator = await createEmulator({
  brain: {
    answer: async () => {
      await chats.allOpen;
      // They don't speak in time.
      await sleep(delays.chunkMs * nextRandom());
      return say(answer);
    },
  },
  delays,
  deltaCharacters: "word0000 ".length,
}).listen();
const child = spawn(
  process.execPath,
  [
    "--expose-gc",
    "--conditions=pollux-source",
    "--disable-warning=ExperimentalWarning",
    fileURLToPath(new URL("web-streams-server.ts", import.meta.url)),
    emulator.url,
    values.store === "sqlite" ? join(folder, "chats.db") : "",
  ],
  { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, GEMINI_API_KEY: "bench" } },
);
try {
  const [url] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const usage = async (): Promise<Usage> => (await (await fetch(`${url}/usage`)).json()) as Usage;

  const direct = async (): Promise<number> => {
    const started = performance.now();
    await (await fetch(`${url}/direct`)).text();
    return performance.now() - started;
  };
  await median(20, direct);
  await median(20, (index) => new Page(url, `warm-${index}`).firstWords());
  const directMs = await median(50, direct);
  const handlerMs = await median(50, (index) => new Page(url, `first-${index}`).firstWords());

  delays.chunkMs = WORD_MS;
  let open = (): void => {};
  chats.allOpen = new Promise((resolve) => (open = resolve));
  const before = await usage();
  const pages = Array.from({ length: STREAMS }, (_, index) => new Page(url, `chat-${index}`));
  const answers = Promise.all(pages.map((page) => page.run()));
  answers.catch(() => {});
  const state = { isOver: false };
  const over = answers.finally(() => (state.isOver = true));
  over.catch(() => {});
  while (!state.isOver && !pages.every(({ isOpen }) => isOpen)) await sleep(50);
  const opened = await usage();
  open();
  const texts = await over;
  const after = await usage();
  const wrong = texts.filter((text) => text !== answer).length;
  if (wrong > 0) throw new Error(`${wrong} of ${STREAMS} answers differ from the model's`);
  const events = pages.reduce((sum, page) => sum + page.events, 0);
  const cuts = pages.reduce((sum, page) => sum + page.cuts, 0);
  const kilobytes = (bytes: number): string => (bytes / 1024 / STREAMS).toFixed(0);
  process.stdout.write(
    [
      `streams open at once       ${STREAMS}, ${cuts} times cut and followed again, every answer whole`,
      `memory of a stream         ${kilobytes(opened.heapUsed - before.heapUsed)} KB of heap, ${kilobytes(opened.rss - before.rss)} KB resident`,
      `CPU of an event            ${(((after.cpuMs - before.cpuMs) * 1000) / events).toFixed(0)} µs (${events} events, with runs, store and beginnings)`,
      `first words through it     ${handlerMs.toFixed(1)} ms, ${directMs.toFixed(1)} ms without the handler: ${(handlerMs - directMs).toFixed(1)} ms added`,
      "",
    ].join("\n"),
  );
} finally {
  child.kill();
  await emulator.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
