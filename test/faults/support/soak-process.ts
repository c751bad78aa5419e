import { setTimeout as sleep } from "node:timers/promises";
import { Agent, AgentError, endpoint, gemini, MemoryStore, type RunResult, type Session } from "@pollux/core";
import { ApiTimeoutError } from "@pollux/core/errors";
import { EffectsList } from "./effects.ts";
import { answerUnknown, problemsOfErrand } from "./end-of-errand.ts";
import { DONE, errandTools, GO, PLAIN } from "./errand.ts";

// Many parallel sessions in one process, over a network that fails sometimes. Started with --expose-gc.

/** Its task. */
export interface SoakOrder {
  readonly url: string;
  readonly sessions: number;
  /** Milliseconds that a request may be silent. */
  readonly silenceMs: number;
}

/** Its result. */
export interface SoakReport {
  /** Counts by event. */
  readonly counts: Readonly<Record<string, number>>;
  readonly problems: readonly string[];
  readonly tookMs: number;
  /** In bytes, after garbage collection: before, with all sessions active (without collection), and after. */
  readonly heap: { readonly before: number; readonly most: number; readonly after: number };
  readonly rss: { readonly before: number; readonly most: number; readonly after: number };
  readonly unheard: readonly string[];
}

const counts: Record<string, number> = {};
const unheard: string[] = [];
process.on("unhandledRejection", (error) => void unheard.push(String(error)));

function count(what: string): void {
  counts[what] = (counts[what] ?? 0) + 1;
}

async function soak({ url, sessions, silenceMs }: SoakOrder): Promise<SoakReport> {
  // Modules and caches that load once don't count as leaks.
  await manySessions({ url, sessions: 20, silenceMs });
  for (const name of Object.keys(counts)) delete counts[name];
  const before = await collected();
  const most = { heapUsed: 0, rss: 0 };
  const watch = setInterval(() => {
    const { heapUsed, rss } = process.memoryUsage();
    most.heapUsed = Math.max(most.heapUsed, heapUsed);
    most.rss = Math.max(most.rss, rss);
  }, 50);
  const began = performance.now();
  const problems = await manySessions({ url, sessions, silenceMs });
  const tookMs = performance.now() - began;
  clearInterval(watch);
  let after = await collected();
  // Idle connections close after a few seconds; others are leaks.
  for (let tries = 0; tries < 60 && after.heapUsed > before.heapUsed + 2 * 2 ** 20; tries++) {
    await sleep(500);
    after = await collected();
  }
  return {
    counts,
    problems,
    tookMs,
    heap: { before: before.heapUsed, most: most.heapUsed, after: after.heapUsed },
    rss: { before: before.rss, most: most.rss, after: after.rss },
    unheard,
  };
}

async function manySessions({ url, sessions, silenceMs }: SoakOrder): Promise<readonly string[]> {
  const store = new MemoryStore();
  const model = gemini("gemini-3.8-flash", {
    endpoint: endpoint({ baseUrl: url, apiKey: "emulator" }),
    timeouts: { firstByteMs: silenceMs, idleMs: silenceMs },
    retry: { minDelayMs: 1, maxDelayMs: 5 },
  });
  const problems = await Promise.all(
    Array.from({ length: sessions }, async (_, index) => {
      const effects = new EffectsList();
      const session = new Agent({ model, tools: errandTools(effects, 1) }).session({ id: `s${index}`, store });
      const found = await oneSession(session, effects);
      return found.map((problem) => `session ${index}: ${problem}`);
    }),
  );
  return problems.flat();
}

async function oneSession(session: Session, effects: EffectsList): Promise<readonly string[]> {
  const problems: string[] = [];
  let result: RunResult | undefined;
  let isFirst = true;
  for (let tries = 0; tries < 8 && result?.stopReason !== "finished"; isFirst = false) {
    const { lastRun, resumable } = await session.state();
    try {
      const next = lastRun === undefined ? session.send(GO) : resumable ? session.resume() : session.send("Go on.");
      result = await answerUnknown(session, await next, effects.all);
      const isRight = result.stopReason === "finished";
      count(isRight ? (isFirst ? "right at once" : "right later") : `ended: ${result.stopReason}`);
      tries++;
    } catch (error) {
      // With all sessions at once, a busy machine is silent for long until fewer remain, which may take any number of retries.
      if (!(error instanceof ApiTimeoutError)) tries++;
      if (error instanceof AgentError) count(`failed: ${error.code}`);
      else problems.push(`untyped: ${String(error)}`);
    }
  }
  if (result?.text !== DONE) problems.push(`lost: ended with ${result?.stopReason}`);
  problems.push(...problemsOfErrand(PLAIN, await session.history(), effects.all));
  return problems;
}

async function collected(): Promise<NodeJS.MemoryUsage> {
  for (let times = 0; times < 3; times++) {
    await sleep(20);
    globalThis.gc?.();
  }
  return process.memoryUsage();
}

process.on("message", (order: SoakOrder) => {
  void soak(order).then((report) => process.send?.(report));
});
process.on("disconnect", () => process.exit());
