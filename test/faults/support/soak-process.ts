// Many sessions at once in one process, against an emulator of its own in which some requests fail. Prints a report as JSON.
import { setTimeout } from "node:timers/promises";
import { Agent, AgentError, defineTool, endpoint, gemini, MemoryStore, type Session } from "@pollux/core";
import { type Answer, type Brain, call, createEmulator, type Emulator, faults, text } from "@pollux/emulator";
import { z } from "zod";
import { randomFrom } from "./full.ts";

/** What the soak found. */
export interface SoakReport {
  readonly sessions: number;
  readonly turnsEach: number;
  readonly requests: number;
  readonly faults: number;
  readonly tookMs: number;
  readonly finished: number;
  readonly resumes: number;
  readonly typed: number;
  readonly lost: number;
  readonly doubled: number;
  readonly untyped: readonly string[];
  readonly rejections: number;
  readonly perSession: number;
  readonly heap: { readonly before: number; readonly most: number; readonly after: number };
}

const TURNS = 5;
const [count = "100", seed = "1"] = process.argv.slice(2);
const sessions = Number(count);
const random = randomFrom(Number(seed));

/** Four calls, one after the other, then the answer; which one is next is read from the conversation. */
const brain: Brain = {
  answer: async ({ request }): Promise<Answer> => {
    const done = request.contents.filter((content) =>
      content.parts.some((part) => part.functionResponse !== undefined),
    );
    return done.length < TURNS - 1 ? call("note", { n: done.length }) : text("All noted.");
  },
};

let requests = 0;
let failing = 0;
const FAULTS = [
  faults.overloaded(),
  faults.internalError(),
  faults.errorInStream(),
  faults.closeEarly(),
  faults.closeMidJson(),
  faults.reset(),
  faults.emptyStop(),
  faults.apiError(403, "PERMISSION_DENIED", "The caller does not have permission."),
];
let chosen = -1;
let emulator: Emulator | undefined = createEmulator({
  brain,
  faults: FAULTS.map((fault, index) => ({
    fault,
    at: () => {
      if (index === 0) {
        requests++;
        chosen = random() < 0.02 ? Math.floor(random() * FAULTS.length) : -1;
        if (chosen >= 0) failing++;
      }
      return chosen === index;
    },
  })),
});

const effects = new Map<string, number>();
const note = defineTool({
  name: "note",
  description: "Notes a number.",
  input: z.object({ n: z.number() }),
  effects: "once",
  run: async ({ n }, { idempotencyKey }) => {
    effects.set(idempotencyKey, (effects.get(idempotencyKey) ?? 0) + 1);
    await setTimeout(1);
    return n;
  },
});

let rejections = 0;
process.on("unhandledRejection", () => void rejections++);

let server: Awaited<ReturnType<Emulator["listen"]>> | undefined = await emulator.listen();
const model = gemini("gemini-3.8-flash", {
  endpoint: endpoint({ baseUrl: server.url, apiKey: "emulator" }),
  retry: { minDelayMs: 1, maxDelayMs: 5 },
});
const agent = new Agent({ model, tools: [note] });

async function finish(session: Session): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      const result = attempt === 0 ? await session.send("Note four numbers.") : await session.resume();
      if (result.stopReason === "finished" && result.text === "All noted.") finished++;
      else untyped.push(`${result.stopReason}: ${result.text}`);
      return;
    } catch (error) {
      if (!(error instanceof AgentError)) return void untyped.push(String(error));
      typed++;
      if (attempt === 9) return void untyped.push(`failed ten times: ${error.message}`);
      resumes++;
    }
  }
}

let finished = 0;
let typed = 0;
let resumes = 0;
const untyped: string[] = [];

// Once around, so that what is loaded and kept for good is there before the memory is measured.
await finish(agent.session());
finished = typed = resumes = 0;
effects.clear();

const before = heap();
let most = before;
const watching = setInterval(() => (most = Math.max(most, process.memoryUsage().heapUsed)), 20);
const began = performance.now();
let store: MemoryStore | undefined = new MemoryStore();
let open: Session[] = Array.from({ length: sessions }, (_, index) => agent.session({ id: `s${index}`, store }));
await Promise.all(open.map(finish));
const tookMs = performance.now() - began;
clearInterval(watching);
const expected = sessions * (TURNS - 1);
const doubled = [...effects.values()].filter((times) => times > 1).length;
const lost = expected - effects.size;
effects.clear();
await server.close();
// It remembers every request.
server = undefined;
emulator = undefined;
await setTimeout(50);
const idle = heap();
open = [];
store = undefined;

const report: SoakReport = {
  sessions,
  turnsEach: TURNS,
  requests,
  faults: failing,
  tookMs,
  finished,
  resumes,
  typed,
  lost,
  doubled,
  untyped: untyped.slice(0, 10),
  rejections,
  perSession: Math.round((idle - before) / sessions),
  heap: { before, most, after: heap() },
};
process.stdout.write(JSON.stringify(report));
process.exit(0);

/** What is really held. */
function heap(): number {
  for (let i = 0; i < 4; i++) globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
