import { Agent, defineTool, MemoryStore, type RunResult, type Session, type SessionStore } from "@pollux/core";
import { calls, fails, hangs, say, ScriptedModel, type ScriptLine } from "@pollux/core/testing";
import { describe, expect, test, vi } from "vitest";
import { deferred } from "../helpers/deferred.ts";
import { fakeTime } from "../helpers/fake-time.ts";
import { Processes, storeLike } from "../helpers/processes.ts";
import { SESSION_FACES, waits } from "./session-faces.ts";
import { answersTo } from "../helpers/answers.ts";

// The table of docs/guides/durability.md: what a handler's calls do in each state that a session can be in.

fakeTime("stands");

/** A session in some state, as another object has it. */
interface Staged {
  readonly store: SessionStore;
  readonly session: Session;
  /** Lets the run end that is going. */
  readonly letGo: () => void;
}

/** Does what the first message of a session says, and answers any other. */
function agentFor(letGo: Promise<void>, isNewProcess: boolean): Agent {
  const pay = defineTool({ name: "pay", description: "x", needsApproval: true, run: () => "paid" });
  const look = defineTool({ name: "look", description: "x", run: () => "seen" });
  const work = defineTool({ name: "work", description: "x", run: async () => (await letGo, "worked") });
  const answer: ScriptLine = ({ contents }) => {
    const { parts = [] } = contents.at(-1) ?? {};
    switch (parts[0]?.text) {
      case undefined:
        return say("Done.");
      case "Talk.":
        return isNewProcess ? say("Re: Talk.") : hangs("Once");
      case "Fail.":
        return isNewProcess ? say("Re: Fail.") : fails(new Error("broken"));
      case "Look.":
        return calls("look");
      case "Pay.":
        return calls("pay");
      case "Work.":
        return calls("pay", "work");
      default:
        return say(`Re: ${parts[0]?.text ?? ""}`);
    }
  };
  return new Agent({ model: new ScriptedModel(...Array.from({ length: 9 }, () => answer)), tools: [pay, look, work] });
}

/** Lets a little time pass until something is so. */
async function becomes(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await vi.advanceTimersByTimeAsync(50);
}

/** The log as if another version of the loop had made its runs. */
function byOtherLoop(store: SessionStore): SessionStore {
  return storeLike(store, {
    load: async (...args) =>
      (await store.load(...args)).map((entry) => {
        const { type, runId } = entry as { readonly type: string; readonly runId?: string };
        // Those that the test itself begins stay as they are.
        return type === "run" && runId === "first" ? { ...(entry as object), loop: 1 } : entry;
      }),
  });
}

/** Brings a session into a state with its first message. */
async function stage(
  message: string | undefined,
  ends: "by itself" | "answered" | "stopped" | "killed" | "never",
  loop?: "other",
): Promise<Staged> {
  const store = new MemoryStore();
  const processes = new Processes(store);
  const [first, second] = [processes.start(), processes.start()];
  const gate = deferred();
  const own = agentFor(gate.promise, false).session({ id: "s", store: first.store });
  const seen = loop === "other" ? byOtherLoop(second.store) : second.store;
  const session = agentFor(gate.promise, true).session({ id: "s", store: seen });
  const staged = { store, session, letGo: gate.resolve };
  if (message === undefined) return staged;
  const limits = message === "Look." ? { turns: 1 } : undefined;
  const run = own.send(message, { limits, runId: "first" }).catch(() => {});
  if (ends === "by itself" || ends === "answered") await run;
  else await becomes(async () => (await store.records("s")).lease?.held === true);
  if (message === "Work.") await becomes(async () => (await session.state()).pending.length === 1);
  if (message === "Talk.") await becomes(async () => (await store.records("s")).draft !== undefined);
  if (ends === "stopped") await Promise.all([session.stop(), run]);
  if (ends === "killed") first.die();
  if (ends === "answered") await own.answer(await answersTo(own, { approvals: { "call:1.0": true } }));
  return staged;
}

/** What a call gives: the text, what is waited for, or the code of the error. */
async function outcomeOf(work: Promise<RunResult<unknown>>): Promise<string> {
  try {
    const result = await work;
    return result.stopReason === "finished" ? result.text : waits(result).join(", ");
  } catch (error) {
    return (error as { readonly code?: string }).code ?? `untyped: ${String(error)}`;
  }
}

async function timesSaid(session: Session, text: string): Promise<number> {
  return (await session.history()).filter(({ parts }) => parts.some((part) => part.text === text)).length;
}

const STATES: readonly {
  readonly state: string;
  readonly lastRun: string | undefined;
  readonly stage: () => Promise<Staged>;
  readonly nothing: string;
  readonly message: string;
  readonly approval: string;
}[] = [
  {
    state: "has no run",
    lastRun: undefined,
    stage: () => stage(undefined, "by itself"),
    nothing: "nothing_to_resume",
    message: "Re: New.",
    approval: "nothing_to_resume",
  },
  {
    state: "has finished",
    lastRun: "finished",
    stage: () => stage("Hello.", "by itself"),
    nothing: "Re: Hello.",
    message: "Re: New.",
    approval: "unexpected_answer",
  },
  {
    state: "has failed",
    lastRun: "failed",
    stage: () => stage("Fail.", "by itself"),
    nothing: "Re: Fail.",
    message: "Re: New.",
    approval: "unexpected_answer",
  },
  {
    state: "was stopped",
    lastRun: "aborted",
    stage: () => stage("Talk.", "stopped"),
    nothing: "Re: Talk.",
    message: "Re: New.",
    approval: "unexpected_answer",
  },
  {
    state: "has reached a limit",
    lastRun: "limit",
    stage: () => stage("Look.", "by itself"),
    nothing: "Done.",
    message: "Re: New.",
    approval: "unexpected_answer",
  },
  {
    state: "was cut off",
    lastRun: "cut-off",
    stage: () => stage("Talk.", "killed"),
    nothing: "Re: Talk.",
    message: "Re: New.",
    approval: "unexpected_answer",
  },
  {
    state: "was cut off in the middle of a turn, by another version of the loop",
    lastRun: "cut-off",
    stage: () => stage("Work.", "killed", "other"),
    nothing: "loop_version",
    message: "Re: New.",
    approval: "loop_version",
  },
  {
    state: "waited, and has an answer that was not used",
    lastRun: "needs-approval",
    stage: () => stage("Pay.", "answered"),
    nothing: "Done.",
    message: "Re: New.",
    approval: "unexpected_answer",
  },
  {
    state: "waits for an approval",
    lastRun: "needs-approval",
    stage: () => stage("Pay.", "by itself"),
    nothing: "call:1.0 approval",
    message: "Re: New.",
    approval: "Done.",
  },
  {
    state: "is running",
    lastRun: "running",
    stage: () => stage("Work.", "never"),
    nothing: "call:1.0 approval",
    message: "session_running",
    approval: "Done.",
  },
];

describe.each(SESSION_FACES)("a session, read by %s,", (_face, face) => {
  describe.each(STATES)("that $state", ({ state, lastRun, stage: begin, nothing, message, approval }) => {
    /** Does something with the session, and then lets the run end that is going. */
    async function act(what: (session: Session) => Promise<RunResult<unknown>>): Promise<Staged & { outcome: string }> {
      const staged = await begin();
      expect((await staged.session.state()).lastRun).toBe(lastRun);
      const outcome = outcomeOf(what(staged.session));
      // Long enough for the other process to see that the lease is renewed.
      await vi.advanceTimersByTimeAsync(4000);
      staged.letGo();
      return { ...staged, outcome: await outcome };
    }

    test("is continued with nothing", async () => {
      const { outcome } = await act((session) => face.continue(session));
      expect(outcome).toBe(nothing);
    });

    test("is continued with a message, which is stored and answered once, or not at all", async () => {
      const { session, store, outcome } = await act((one) => face.continue(one, { message: "New.", runId: "new" }));
      expect(outcome).toBe(message);
      if (message === "session_running") {
        expect(JSON.stringify(await store.load("s"))).not.toContain("New.");
        return;
      }
      // Whoever asks again gets the same answer.
      expect(await outcomeOf(face.continue(session, { message: "New.", runId: "new" }))).toBe(message);
      expect(await timesSaid(session, "New.")).toBe(1);
      expect(await timesSaid(session, "Re: New.")).toBe(1);
    });

    test("is sent a message, which is stored and answered once, or not at all", async () => {
      const { session, store, outcome } = await act((one) => face.send(one, "New."));
      expect(outcome).toBe(message);
      if (message === "session_running") expect(JSON.stringify(await store.load("s"))).not.toContain("New.");
      else expect([await timesSaid(session, "New."), await timesSaid(session, "Re: New.")]).toEqual([1, 1]);
    });

    test("is continued with an approval", async () => {
      const { outcome, store } = await act(async (session) =>
        face.continue(session, await answersTo(session, { approvals: { "call:1.0": true } })),
      );
      expect(outcome).toBe(approval);
      const isStored = (await store.load("s")).some((entry) => (entry as { readonly type?: string }).type === "answer");
      expect(isStored).toBe(approval === "Done." || state.startsWith("waited"));
    });

    test("is continued with an approval and a message", async () => {
      const { outcome, session, store } = await act(async (one) =>
        face.continue(one, {
          ...(await answersTo(one, { approvals: { "call:1.0": true } })),
          message: "New.",
          whileRunning: "steer",
        }),
      );
      expect(outcome).toBe(approval === "Done." ? "Re: New." : approval);
      if (approval === "Done.") expect(await timesSaid(session, "New.")).toBe(1);
      else expect(JSON.stringify(await store.load("s"))).not.toContain("New.");
    });

    test.each(["steer", "wait", "replace"] as const)("is sent a message that would %s", async (whileRunning) => {
      const { session, outcome } = await act((one) => face.continue(one, { message: "New.", whileRunning }));
      // Steered, it goes along with the answers of the calls, one of which still waits.
      const isHeard = lastRun === "running" && whileRunning === "steer";
      expect(outcome).toBe(isHeard ? "call:1.0 approval" : "Re: New.");
      if (isHeard)
        expect(
          await outcomeOf(face.continue(session, await answersTo(session, { approvals: { "call:1.0": true } }))),
        ).toBe("Re: New.");
      expect([await timesSaid(session, "New."), await timesSaid(session, "Re: New.")]).toEqual([1, 1]);
    });
  });
});
