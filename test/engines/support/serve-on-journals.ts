import type { RunResult, Session, SessionStore } from "@pollux/core";
import { isRunSuspended, journal } from "@pollux/core/durable";
import { JsonlStore, SqliteStore } from "@pollux/core/node";
import { makeAgents } from "./agents.ts";
import type { Ended } from "./engine-place.ts";
import { sleeper } from "./sleeper.ts";
import { storedLog } from "./stored-log.ts";
import type { WorkerKind, WorkerOrder, WorkerSaid, WorkerSetup } from "./worker-messages.ts";

/** A process that runs what the place assigns: each run is its own session in a store of files, or has no store. */
export async function serve(
  {
    on,
    outside,
    code,
  }: WorkerSetup & { readonly on: Extract<WorkerKind, { readonly kind: "none" | "jsonl" | "sqlite" }> },
  say: (said: WorkerSaid) => void,
): Promise<{ obey(order: WorkerOrder): void; readonly port?: undefined }> {
  const store = openStore(on);
  const [errand] = await makeAgents({ outside, code, store });
  const aborts = new Map<string, AbortController>();

  async function take({ run, input, answers = [] }: Extract<WorkerOrder, { do: "take" }>): Promise<void> {
    const abort = new AbortController();
    aborts.set(run, abort);
    const session = store && errand.session({ id: run, store });
    try {
      const { signal } = abort;
      const result =
        session === undefined
          ? await errand.run(input, { runId: run, signal })
          : await goOn(session, { run, input, answers }, signal);
      if (result !== undefined && "pending" in result) {
        say({ is: "waiting", run, asked: result.pending.map(({ callId, question }) => ({ callId, question })) });
      } else {
        say({ is: "ended", run, ended: await endedOf(session, result) });
      }
    } catch (error) {
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      const word = error instanceof Error && "code" in error ? String(error.code) : undefined;
      say({
        is: "ended",
        run,
        ended: { status: abort.signal.aborted ? "cancelled" : "failed", error: { name, message, code: word } },
      });
    }
  }

  async function nap(run: string, ms: number): Promise<void> {
    if (store === undefined) throw new TypeError("a nap needs a store");
    for (;;) {
      const log = await storedLog(store, run);
      try {
        await sleeper(journal({ runId: run, signal: new AbortController().signal, log }), ms, outside);
        break;
      } catch (error) {
        // A journal only checks the time of a wait when the run resumes.
        if (!isRunSuspended(error)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    say({ is: "ended", run, ended: { status: "ended" } });
  }

  return {
    obey: (order) => {
      if (order.do === "take") void take(order);
      if (order.do === "abort") aborts.get(order.run)?.abort(new DOMException("cancelled", "AbortError"));
      if (order.do === "nap")
        nap(order.run, order.ms).catch((error: unknown) => say({ is: "broken", message: String(error) }));
    },
  };
}

function openStore(on: Extract<WorkerKind, { readonly kind: "none" | "jsonl" | "sqlite" }>): SessionStore | undefined {
  if (on.kind === "none") return undefined;
  return on.kind === "jsonl" ? new JsonlStore(on.path) : new SqliteStore(on.path);
}

async function goOn(
  session: Session,
  {
    run,
    input,
    answers,
  }: {
    readonly run: string;
    readonly input: string;
    readonly answers: NonNullable<Extract<WorkerOrder, { do: "take" }>["answers"]>;
  },
  signal: AbortSignal,
): Promise<RunResult | undefined> {
  const { lastRun, resumable } = await session.state();
  if (lastRun === undefined) return await session.send(input, { runId: run, signal });
  if (!resumable) return undefined;
  const { pending } = await session.state();
  const tokenOf = (callId: string): string => pending.find((one) => one.callId === callId)?.token ?? callId;
  const approvals = answers.flatMap((one) => ("approve" in one ? [[tokenOf(one.callId), one.approve] as const] : []));
  const outcomes = answers.flatMap((one) => ("outcome" in one ? [[tokenOf(one.callId), one.outcome] as const] : []));
  return await session.resume({
    approvals: Object.fromEntries(approvals),
    outcomes: Object.fromEntries(outcomes),
    signal,
  });
}

async function endedOf(session: Session | undefined, result: RunResult | undefined): Promise<Ended> {
  const last = (await session?.history())?.at(-1);
  const text = result?.text ?? last?.parts.map((part) => part.text ?? "").join("");
  return { status: "ended", stopReason: result?.stopReason ?? "finished", text };
}
