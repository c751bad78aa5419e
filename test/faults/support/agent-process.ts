import { once } from "node:events";
import { flushCompileCache } from "node:module";
import { Agent, AgentError, endpoint, gemini, type RunResult, type Session, type SessionStore } from "@pollux/core";
import { JsonlStore, SqliteStore } from "@pollux/core/node";
import { PostgresStore } from "@pollux/postgres";
import { storeLike } from "../../../packages/core/test/helpers/processes.ts";
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

/** A store that tells of each append, and stops where it is told to. */
function told(store: SessionStore, point: KillPoint | undefined): SessionStore {
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
  // Where a killed process is not known to be dead, its lease has to expire.
  const leaseMs = store.kind === "postgres" ? 500 : undefined;
  return new Agent({ model, tools }).session({ id, store: told(openStore(store), killPoint), leaseMs });
}

async function finish(work: Work, asks: boolean): Promise<Finished> {
  const session = sessionFor(work);
  const { lastRun: found = "nothing" } = await session.state();
  const unknown: { callId: string; done: boolean }[] = [];
  let result = found === "nothing" ? await session.send(messageOf(work)) : await resumed(session);
  while (result !== undefined && "pending" in result) {
    // Whoever looks into what came of a call waits until nobody is at it any more.
    if (asks) await allowed();
    const effects = readEffects(work.effects);
    const { runId } = result;
    const asked = result.pending.map(({ callId, token }) => {
      const end = effects.find(({ step, key }) => step === "end" && key === `${runId}/${callId}`);
      return { callId, token, what: end?.what };
    });
    unknown.push(...asked.map(({ callId, what }) => ({ callId, done: what !== undefined })));
    const outcomes = asked.map(({ token, what }) => [
      token,
      what === undefined ? ({ notExecuted: true } as const) : { output: what },
    ]);
    result = await session.resume({ outcomes: Object.fromEntries(outcomes) });
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

/** Goes on with a run; `undefined` when it is finished, or another process finishes it meanwhile. */
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
  const result = await (runId === undefined ? session.send(message) : session.continue({ message, runId }));
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
// It will not live to do so at its exit.
flushCompileCache();
say({ is: "ready" });
