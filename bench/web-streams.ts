// Many chats at once in one process. The answers begin once all chats are open; each second one in a hundred is cut and followed again.
// Every answer is checked for its words. A program of `pnpm bench --metrics web`.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createEmulator, say } from "@pollux/emulator";
import { printSamples, type ProgramSample } from "./measure-programs.ts";

// `measureProgram` starts it.
const { quick } = JSON.parse(process.argv[2] ?? "{}") as { readonly quick?: boolean };
const STREAMS = quick === true ? 20 : 1_000;
const SECONDS = quick === true ? 3 : 20;
const CUT_PERCENT = quick === true ? 40 : 1;
/** Words of each answer, two a second. */
const WORDS = SECONDS * 2;
const WORD_MS = 500;
/** How likely it is that a connection is cut at a word. */
const CUT_CHANCE = CUT_PERCENT / 100 / 2;
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
try {
  printSamples([
    ...(await measureChats("`MemoryStore`", "")),
    ...(await measureChats("`SqliteStore`", join(folder, "chats.db"))),
  ]);
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** @param file - Of the store; empty for one in memory. */
async function measureChats(driver: string, file: string): Promise<readonly ProgramSample[]> {
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
  const program = fileURLToPath(new URL("web-streams-server.ts", import.meta.url));
  const child = spawn(process.execPath, ["--expose-gc", "--no-warnings", program, emulator.url, file], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, GEMINI_API_KEY: "bench" },
  });
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
    const sum = (of: "events" | "cuts"): number => pages.reduce((all, page) => all + page[of], 0);
    const row = (id: string, label: string, unit: string, value: number): ProgramSample => ({
      id: `web-${id}`,
      label,
      unit,
      driver,
      values: [value],
    });
    return [
      row(
        "heap",
        "heap of an open chat, its run included",
        "KB",
        (opened.heapUsed - before.heapUsed) / 1_024 / STREAMS,
      ),
      row("event", "CPU of an event, runs and stores included", "ms", (after.cpuMs - before.cpuMs) / sum("events")),
      row("first", "first words later than without the handler", "ms", handlerMs - directMs),
      row("cuts", "connections cut and followed again", "", sum("cuts")),
    ];
  } finally {
    child.kill();
    await emulator.close();
  }
}
