import { once } from "node:events";
import { flushCompileCache } from "node:module";
import {
  Agent,
  AgentError,
  endpoint,
  type ExternalOutcome,
  gemini,
  type PendingCall,
  type RunResult,
  type Session,
  type SessionStore,
} from "@pollux/core";
import { JsonlStore, SqliteStore } from "@pollux/core/node";
import { PostgresStore } from "@pollux/postgres";
import { storeLike } from "../../../packages/core/test/helpers/processes.ts";
import { writeJobCallback } from "../../../packages/core/src/tool/job.ts";
import { EffectsFile, readEffects } from "./effects.ts";
import { errandTools, messageOf } from "./errand.ts";
import type { Finished, KillPoint, Order, Report, StorePlace, Work } from "./process-messages.ts";

// A process with an agent that works on a session, until it is killed. Started by `openProcess`.

const NOBODY = 65_534;

function say(report: Report): void {
  process.send?.(report);
}

function openStore({ kind, path, database }: StorePlace): SessionStore {
  if (database !== undefined) return new PostgresStore(database.url, { schema: database.schema });
  return kind === "jsonl" ? new JsonlStore(path) : new SqliteStore(path);
}

/** A store that reports each append, and hangs at the kill point. */
function reporting(store: SessionStore, point: KillPoint | undefined): SessionStore {
  let appends = 0;
  return storeLike(store, {
    append: async (id, length, entries, options) => {
      const here = ++appends === point?.append;
      if (here && point.when !== "after") say({ is: "at-kill-point" });
      if (here && point.when === "before") await new Promise(() => {});
      await store.append(id, length, entries, options);
      say({ is: "acknowledged", length: length + entries.length });
      if (here && point.when === "after") {
        say({ is: "at-kill-point" });
        await new Promise(() => {});
      }
    },
  });
}

function sessionFor({ url, store, id, effects }: Work, killPoint?: KillPoint): Session {
  const model = gemini("gemini-3.8-flash", { endpoint: endpoint({ baseUrl: url, apiKey: "emulator" }) });
  const tools = errandTools(new EffectsFile(effects), 2);
  // If others can't know that a process was killed, its lease has to expire.
  const leaseMs = store.kind === "postgres" ? 500 : undefined;
  return new Agent({ model, tools }).session({ id, store: reporting(openStore(store), killPoint), leaseMs });
}

async function finish(work: Work, asks: boolean): Promise<Finished> {
  const session = sessionFor(work);
  const { lastRun: found = "nothing" } = await session.state();
  const unknown: { callId: string; done: boolean }[] = [];
  let result = found === "nothing" ? await session.send(messageOf(work)) : await resumed(session);
  while (result !== undefined && "pending" in result) {
    if (result.pending.some(({ question }) => question === "job")) {
      result = await jobsDone(session, result.pending);
      continue;
    }
    // Before it checks a call's outcome, it waits until no other process works on the call.
    if (asks) await allowed();
    const effects = readEffects(work.effects);
    const { runId, pending } = result;
    const outcomes: [string, ExternalOutcome][] = [];
    let hasReported = false;
    for (const { callId, call, token } of pending) {
      const end = effects.find(({ step, key }) => step === "end" && key === `${runId}/${callId}`);
      unknown.push({ callId, done: end !== undefined });
      // A service knows its started job and the caller.
      if (end !== undefined && call.name === "research") {
        hasReported = true;
        await session.reportJob(writeJobCallback({ sessionId: work.id, runId, callId }), { output: end.what });
      } else outcomes.push([token, end === undefined ? { notExecuted: true } : { output: end.what }]);
    }
    const answers = { outcomes: Object.fromEntries(outcomes) };
    result = hasReported && outcomes.length === 0 ? await session.continue() : await session.resume(answers);
  }
  return {
    is: "finished",
    found,
    unknown,
    stopReason: result?.stopReason ?? "finished",
    text:
      result?.text ??
      (await session.history())
        .at(-1)
        ?.parts.map(({ text }) => text ?? "")
        .join("") ??
      "",
  };
}

/** Ends the jobs that a run waits for, and continues the run: the service reports a research, and the run polls a render. */
async function jobsDone(session: Session, pending: readonly PendingCall[]): Promise<RunResult> {
  for (const { call, job } of pending)
    if (job !== undefined && call.name === "research") await session.reportJob(job.jobId, { output: job.jobId });
  return await session.continue();
}

/** Resumes a run; `undefined` when it is finished, or another process finishes it in the meantime. */
async function resumed(session: Session): Promise<RunResult | undefined> {
  try {
    if ((await session.state()).lastRun !== "finished") return await session.resume();
  } catch (error) {
    if ((await session.state()).lastRun !== "finished") throw error;
  }
  return undefined;
}

function allowed(): Promise<unknown> {
  const answer = once(process, "message");
  say({ is: "asks" });
  return answer;
}

async function obey(order: Exclude<Order, { readonly do: "go-on" }>): Promise<Report> {
  if (order.do === "finish") {
    if (order.asNobody === true && process.getuid?.() === 0) process.setuid?.(NOBODY);
    return finish(order, order.asks === true);
  }
  const session = sessionFor(order, order.killPoint);
  const message = messageOf(order);
  const { runId } = order;
  let result = await (runId === undefined ? session.send(message) : session.continue({ message, runId }));
  while ("pending" in result && result.pending.every(({ question }) => question === "job"))
    result = await jobsDone(session, result.pending);
  return { is: "finished", found: "nothing", unknown: [], stopReason: result.stopReason, text: result.text };
}

process.on("message", (order: Order) => {
  if (order.do === "go-on") return;
  obey(order).then(say, (error: unknown) => {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    say({ is: "failed", name, typed: error instanceof AgentError, message });
  });
});
process.on("disconnect", () => process.exit());
// Loads session modules now: a process without root rights can't read them, and a killed one would compile them again each time.
await new Agent({
  model: gemini("gemini-3.8-flash", { endpoint: endpoint({ baseUrl: "http://none.invalid", apiKey: "x" }) }),
})
  .session()
  .state();
// The process won't live to do so at its exit.
flushCompileCache();
say({ is: "ready" });
