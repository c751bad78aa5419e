import { flushCompileCache } from "node:module";
import type { RunOptions, SessionStore } from "@pollux/core";
import { calls, ScriptedModel, type ScriptLine } from "@pollux/core/testing";
import { deferred } from "../../../packages/core/test/helpers/deferred.ts";
import { storeLike } from "../../../packages/core/test/helpers/processes.ts";
import { openStore, type StoreKind } from "./dead-store.ts";
import { capabilitiesFor, type Death, DEATHS } from "./deaths.ts";
import { MESSAGE, openTrip, OUTPUT, preparing, secretGuard, type Site, tripTools } from "./trip-agent.ts";

// A process in which every run of the table reaches its point. It then reports that, and is killed.

const [kind, path, ...names] = process.argv.slice(2) as [StoreKind, string, ...string[]];

/** The model's answers; reports each request. */
function scriptOf({ script, ownSecondTurn }: Death, tell: Site["tell"]): readonly ScriptLine[] {
  const second = calls({ name: "pay", args: { n: 2 } }, { name: "look", args: { n: 3 } });
  const lines = [calls({ name: "look", args: { n: 1 } }), ...(ownSecondTurn === true ? [] : [second]), ...script];
  return lines.map((line, index): ScriptLine => {
    return async (request) => {
      tell(`asked ${index + 1}`);
      return typeof line === "function" ? await line(request) : line;
    };
  });
}

/** The session's store; reports drafts. */
function reporting(store: SessionStore, tell: Site["tell"]): SessionStore {
  return storeLike(store, {
    setDraft: async (...args) => {
      await store.setDraft(...args);
      tell("draft");
    },
  });
}

/** Brings a run to its point. */
async function bring(store: SessionStore, death: Death): Promise<void> {
  const open = new Set(death.until);
  const arrived = deferred();
  const abort = new AbortController();
  const tell = (moment: string): void => {
    open.delete(moment);
    if (death.also === "abort" && moment === "wait 5 began") abort.abort(new Error("enough"));
    if (open.size === 0) arrived.resolve();
  };
  const site: Site = { tell, hangs: death.hangs };
  const session = openTrip(
    {
      model: ScriptedModel.with({ capabilities: capabilitiesFor(death) }, ...scriptOf(death, tell)),
      tools: tripTools(site),
      prices: { input: 1000, output: 1000 },
      limits: death.limits,
      ...(death.guarded === true && { guardrails: secretGuard(site) }),
      ...(death.hangs?.includes("turn 4") === true && { hooks: { prepareTurn: preparing(site) } }),
      ...(death.hangs?.includes("hook") === true && {
        hooks: {
          beforeCall: async ({ turn }) => {
            if (turn < 3) return undefined;
            tell("hook began");
            return await new Promise<never>(() => {});
          },
        },
      }),
    },
    reporting(store, tell),
    death.name,
  );
  if (death.also === "steer") await session.steer("By train.");
  const options: RunOptions = { signal: abort.signal, runId: `run: ${death.name}` };
  const stream = session.stream(MESSAGE, { ...options, ...(death.output !== undefined && { output: OUTPUT }) });
  const over = (async () => {
    for await (const event of stream) {
      if (event.type === "tool-end") tell(`${event.name} ${String(event.call.args?.["n"])} ended`);
      if (event.type === "tool-pending") tell("asks");
    }
  })().catch(() => {});
  void over.then(async () => {
    tell("over");
    if (death.also === "report") {
      await session.reportJob("job-5", { output: "researched 5" });
      return tell("answered");
    }
    if (death.also?.startsWith("answer") !== true) return;
    const { pending } = await session.state();
    const outcomes = Object.fromEntries(pending.map(({ token }) => [token, { output: "told" }]));
    if (death.also === "answer") await session.answer({ outcomes });
    else session.resume({ outcomes }).catch(() => {});
    tell("answered");
  });
  await arrived.promise;
}

const store = openStore(kind, path);
await Promise.all(DEATHS.filter(({ name }) => names.includes(name)).map((death) => bring(store, death)));
// The process won't live to do so at its exit.
flushCompileCache();
process.send?.("all are there");
// Hanging runs don't keep a process alive.
setInterval(() => {}, 60_000);
