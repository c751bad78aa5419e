import { HttpError } from "@pollux/core/serving";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Agent,
  gemini,
  type Json,
  MemoryStore,
  type Model,
  type RunStream,
  type SessionStore,
} from "@pollux/core";
import { SessionStoreError } from "@pollux/core/errors";
import { compareBranches } from "../inspection/compare-branches.ts";
import type { ForkRequest, ForkResult } from "../inspection/results.ts";
import { SessionFold } from "../inspection/session-fold.ts";
import { chooseAgent, chooseRun } from "../replay/choose-agent.ts";
import { firstHead, type Kept, outputOf } from "../replay/kept-head.ts";
import { rebuildAgent } from "../replay/rebuilt-agent.ts";
import { askedModel, emulatedModel } from "../replay/stand-in-model.ts";
import type { ActionHandler, SessionCall, ViewHandler } from "../server/handlers.ts";
import { recordingOfExchanges } from "../take-away/recording-file.ts";
import { forkInfo, forkLog, readForkRequest } from "./fork-log.ts";
import { ExchangeFold } from "../inspection/exchange-fold.ts";
import { textOf } from "../inspection/read-values.ts";
import { comparePrompts } from "../replay/compare-prompts.ts";

/** How long an answer waits for the fork's run; in a store, the run then continues on its own. */
const WAIT_MS = 10_000;
/** Longest time of a run in memory, which only its request can see. */
const MAX_IN_MEMORY_MS = 60_000;

/** Forks a session into the store: with the given agent and its tools, or with one rebuilt from the log and the kept requests. */
export const forkAction: ActionHandler = async (call, body) => await fork(call, readForkRequest(body), undefined);

/**
 * Forks a session in memory and shows the result. It writes nothing, runs no tool and sends nothing out of the process, so a
 * read-only inspector allows it.
 */
export const tryForkAction: ActionHandler = async (call, body) => {
  const request = readForkRequest(body);
  if (request.answers !== "emulator" || (request.agent ?? "") !== "")
    throw new HttpError(403, "read_only", "Without --allow-actions, the emulator answers a fork, without tools.");
  return await fork(call, request, "the inspector is read-only: start it with --allow-actions to store forks");
};

async function fork(call: SessionCall, request: ForkRequest, whyMemory: string | undefined): Promise<ForkResult> {
  const fold = await call.fold();
  const kept: Kept = { fold, exchanges: await call.exchanges(), run: chooseRun(fold, request.runId) };
  const log = forkLog(fold, kept.run, request, crypto.randomUUID());
  const forker = forkingAgent(call, kept, request);
  const id = `${call.id.slice(0, 1000)}-fork-${crypto.randomUUID().slice(0, 8)}`;
  const target = await writeFork(call.store, id, [...log.entries, forkInfo(fold, request)], whyMemory);
  const signals = target.why === undefined ? [] : [call.request.signal, AbortSignal.timeout(MAX_IN_MEMORY_MS)];
  const options = { ...forker.options, signal: AbortSignal.any(signals) };
  const session = forker.agent.session({ id, store: target.store });
  const stream = log.goesOn
    ? session.resumeStream({ ...options, anyLoopVersion: true })
    : session.stream(request.message ?? "", options);
  const { isRunning, error } = await waitFor(stream, target.why === undefined ? WAIT_MS : MAX_IN_MEMORY_MS);
  return {
    id,
    why: target.why,
    isRunning,
    error,
    notes: forker.notes,
    comparison: compareBranches(fold, await readFold(call, target.store, id)),
  };
}

/** An agent for a fork, and the options of its run. */
interface Forker {
  readonly agent: Agent;
  readonly options: Parameters<ReturnType<Agent["session"]>["resume"]>[0] & object;
  readonly notes: readonly string[];
}

function forkingAgent(call: SessionCall, kept: Kept, request: ForkRequest): Forker {
  const asked = askedModel(kept.run);
  const { instructions, tools } = request;
  const runIds = new Set(kept.fold.runs.map(({ runId }) => runId));
  const recording = recordingOfExchanges(kept.exchanges, runIds);
  const emulated = request.answers === "emulator" ? emulatedModel(asked, recording ?? { exchanges: [] }) : undefined;
  const notes =
    emulated !== undefined && recording === undefined
      ? ["The session kept no requests, so the emulator improvises all answers: see keepExchanges."]
      : [];
  if ((request.agent ?? "") === "") {
    const rebuilt = rebuildAgent(kept, emulated ?? gemini(asked.id), {
      instructions,
      tools,
      goesOnFrom: request.turn ?? 1,
    });
    const { output } = rebuilt;
    return {
      agent: rebuilt.agent,
      options: output === undefined ? {} : { output },
      notes: [...notes, ...rebuilt.notes],
    };
  }
  const named = chooseAgent(call.agents, kept, request.agent);
  if (named === undefined) throw new HttpError(404, "no_agent", "There is no such agent.");
  const output = outputOf(kept, firstHead(kept));
  const changes: { readonly model?: Model; readonly tools?: readonly string[] } = {
    ...(emulated !== undefined && { model: emulated }),
    ...(tools !== undefined && { tools }),
  };
  return {
    agent: named.agent,
    options: {
      ...(output !== undefined && { output }),
      ...(instructions !== undefined && { instructions }),
      ...(Object.keys(changes).length > 0 && { hooks: { prepareTurn: () => changes } }),
    },
    notes: [
      ...notes,
      ...(Object.keys(changes).length > 0 ? ["The agent's own prepareTurn, if any, was not called."] : []),
      ...(emulated === undefined ? [] : ["Tools ran for real; agents inside them used their own models."]),
    ],
  };
}

/** Where a fork was written. */
interface ForkTarget {
  readonly store: SessionStore;
  /** Why it is in memory only. */
  readonly why?: string | undefined;
}

async function writeFork(
  store: SessionStore,
  id: string,
  entries: readonly Json[],
  whyMemory: string | undefined,
): Promise<ForkTarget> {
  if (whyMemory === undefined)
    try {
      await store.append(id, 0, entries);
      return { store };
    } catch (error) {
      if (!(error instanceof SessionStoreError)) throw error;
      whyMemory = error.message;
    }
  const memory = new MemoryStore();
  await memory.append(id, 0, entries);
  return { store: memory, why: whyMemory };
}

/** Reads a run to its end, or leaves it running. */
async function waitFor(
  stream: RunStream<unknown>,
  waitMs: number,
): Promise<{ readonly isRunning: boolean; readonly error?: string }> {
  const over = new AbortController();
  const run = stream.result().then(
    () => ({ isRunning: false }),
    (error: unknown) => ({ isRunning: false, error: error instanceof Error ? error.message : String(error) }),
  );
  const waited = sleep(waitMs, { isRunning: true }, { signal: over.signal }).catch(() => run);
  return await Promise.race([run, waited]).finally(() => over.abort());
}

/** Another session. */
export async function readFold({ prices }: SessionCall, store: SessionStore, id: string): Promise<SessionFold> {
  return SessionFold.of(id, id === "" ? [] : await store.load(id), { prices });
}

/**
 * Two sessions side by side: `with` is the id of the other one; `run` and `withRun` limit the comparison to a run of each. With
 * `whole`, it includes equal turns and the prompts of the last runs.
 */
export const compareView: ViewHandler = async (call) => {
  const { query, store } = call;
  const [other, run, withRun] = [query.get("with") ?? "", query.get("run") ?? "", query.get("withRun") ?? ""];
  const [left, right] = [await call.fold(), await readFold(call, store, other)];
  if (right.length === 0) throw new HttpError(404, "not_found", "There is no session with that id to compare with.");
  if ((run !== "" && left.run(run) === undefined) || (withRun !== "" && right.run(withRun) === undefined))
    throw new HttpError(404, "not_found", "There is no such run to compare: select two runs in a timeline.");
  const isWhole = query.get("whole") === "true";
  const comparison = compareBranches(left, right, { runs: [run, withRun], isWhole });
  if (!isWhole) return comparison;
  const kept = new ExchangeFold();
  kept.add(await call.exchangesOf(other));
  const prompts = comparePrompts(promptOf(left, await call.exchanges(), run), promptOf(right, kept, withRun));
  return { ...comparison, prompts };
};

function promptOf(fold: SessionFold, exchanges: ExchangeFold, runId: string): Parameters<typeof comparePrompts>[0] {
  const run = runId === "" ? fold.runs.at(-1) : fold.run(runId);
  const head = run && firstHead({ exchanges, run });
  return head && { model: textOf(run?.entry["model"]) ?? "", head };
}
