import type { Approval, RunResult, Session, SessionStore } from "@pollux/core";
import { readConversation } from "@pollux/core/conversation";
import { writeJobCallback } from "../../../packages/core/src/tool/job.ts";
import { BROKEN, type Comer, optionsOf, storeFor } from "./comers.ts";
import type { DeadStore } from "./dead-store.ts";
import { type Death, STARTING, WAITING } from "./deaths.ts";
import {
  answersOf,
  costOf,
  differences,
  executed,
  problemsOfHistory,
  problemsWithoutAgent,
  readContents,
  tokensOf,
} from "./facts.ts";
import { ANSWER, MESSAGE, NEXT_MESSAGE, openTrip, OUTPUT } from "./trip-agent.ts";

/** One cell of the table: a comer after a death. */
export interface Cell {
  readonly death: Death;
  readonly comer: Comer;
}

/** An act of the comer after a death. Returns the problems. */
type Act = (session: Session, cell: Cell, store: SessionStore) => Promise<readonly string[]>;

/** Acts on a session, each with its own copy. */
const ACTS: Readonly<Record<string, Act>> = { read, send, resume, approve, deny, report, repeat, rewind, fork };

/** The problems in a cell, after each act. */
export async function problemsOf(left: DeadStore, cell: Cell): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const [name, act] of Object.entries(ACTS)) {
    const found = await left.withSession(cell.death.name, (store) => perform(act, cell, store));
    problems.push(...found.map((problem) => `${name}: ${problem}`));
  }
  return problems;
}

/** The problems after a message to a copy of the files themselves. */
export async function problemsInFiles(left: DeadStore, cell: Cell): Promise<readonly string[]> {
  return await left.withFiles((store) => perform(send, cell, store));
}

/** The problems that readers without an agent show. */
export async function problemsOfReaders(left: DeadStore, death: Death): Promise<readonly string[]> {
  return await left.withSession(death.name, (store) => problemsWithoutAgent(store, death));
}

async function perform(act: Act, cell: Cell, store: SessionStore): Promise<readonly string[]> {
  const { death, comer } = cell;
  const entries = await store.load(death.name);
  const diedAt = Math.max(...entries.map((entry) => (entry as { readonly at: number }).at));
  const session = openTrip(optionsOf(comer, { death, diedAt }), storeFor(comer, store), death.name);
  try {
    return await act(session, cell, store);
  } catch (error) {
    return [`rejected with ${String(error)}`];
  }
}

async function read(session: Session, { death }: Cell, store: SessionStore): Promise<readonly string[]> {
  const before = JSON.stringify(await store.load(death.name));
  const problems = [
    ...problemsOfHistory("the history", await session.history(), death),
    ...differences("the state", await session.state(), { lastRun: death.lastRun }),
  ];
  const { messages } = await readConversation(session);
  return [
    ...problems,
    ...differences("the conversation", { messages: messages.length }, { messages: 2 }),
    ...(JSON.stringify(await store.load(death.name)) === before ? [] : ["reading wrote to the log"]),
  ];
}

async function send(session: Session, { death, comer }: Cell): Promise<readonly string[]> {
  const { done } = death;
  if (death.goesOn === true && comer.otherLoop !== true)
    return await keepsDone(session, death, () => session.send(NEXT_MESSAGE));
  const result = await session.send(NEXT_MESSAGE);
  const contents = await session.history();
  const state = await session.state();
  return [
    ...differences("the answer", result, { stopReason: "finished", text: ANSWER }),
    ...problemsOfHistory("the history", contents.slice(0, -2), death),
    ...differences(
      "the state",
      { ...state, tokens: state.usage.totalTokens },
      {
        runs: 2,
        turns: done.turns + 1,
        toolCalls: done.calls.length,
        tokens: tokensOf(death) + 15,
      },
    ),
    ...differences("the state", { cost: state.cost.toFixed(3) }, { cost: (costOf(death) + 0.015).toFixed(3) }),
    ...(comer.name === "the same code"
      ? differences("the draft", { isKept: keepsDraft(contents, death) }, { isKept: true })
      : []),
  ];
}

function keepsDraft(contents: Awaited<ReturnType<Session["history"]>>, { draft }: Death): boolean {
  return draft === undefined || contents.some(({ parts }) => parts.some(({ text }) => text === draft));
}

async function resume(session: Session, { death, comer }: Cell): Promise<readonly string[]> {
  const { resumable } = await session.state();
  const isOver = ["finished", "guardrail"].includes(death.lastRun);
  const output = death.output === undefined ? {} : { output: OUTPUT };
  const problems = await keepsDone(session, death, async () => await session.resume(output));
  return [
    ...differences("the state", { resumable }, { resumable: !isOver }),
    ...problems,
    ...(["the same code", "another model"].includes(comer.name) && !isOver
      ? differences("the state", await session.state(), { lastRun: death.resumed ?? "finished" })
      : []),
  ];
}

async function approve(session: Session, { death }: Cell): Promise<readonly string[]> {
  return await keepsDone(session, death, () => answered(session, death, true));
}

async function deny(session: Session, { death: { done, ...death } }: Cell): Promise<readonly string[]> {
  // Calls that did not run may be denied now.
  const rest = { ...death, done: { ...done, calls: executed(done) } };
  const found = await keepsDone(session, rest, () => answered(session, rest, { deny: "no" }));
  return found.filter((problem) => !problem.endsWith(": denied"));
}

/** Resumes a run, gives the same answer to all of its questions, and resumes it again. */
async function answered(session: Session, { output }: Death, approval: Approval): Promise<void> {
  const typed = output === undefined ? {} : { output: OUTPUT };
  await session.resume(typed);
  const { pending } = await session.state();
  const approvals = pending.flatMap(({ token, question }) => (question === "approval" ? [[token, approval]] : []));
  if (approvals.length > 0) await session.resume({ ...typed, approvals: Object.fromEntries(approvals) });
}

/** With any deployed code, the model gets the report of a job. A report of another shape is refused, an error is not. */
async function report(session: Session, { death, comer }: Cell): Promise<readonly string[]> {
  const { name, done } = death;
  const open = done.calls.find((call) => call === STARTING || call === WAITING);
  if (open === undefined) return [];
  const refuses = comer.name === "another output of the job";
  const told = `research 5: ${refuses ? "no room" : "researched 5"}`;
  const after = { ...done, calls: done.calls.map((call) => (call === open ? told : call)) };
  // A job cut off during its start is only known by its callback.
  const callback = writeJobCallback({ sessionId: name, runId: `run: ${name}`, callId: "call:3.1" });
  const job = open === STARTING ? callback : "job-5";
  const refused: unknown[] = [];
  const problems = await keepsDone(session, { ...death, done: after }, async () => {
    await session.reportJob(job, { output: "researched 5" }).catch((error: unknown) => refused.push(error));
    if (refuses) await session.reportJob(job, { error: "no room" });
    await session.continue();
  });
  const reasons = refused.map((error) => (error as Error).name);
  return [...problems, ...differences("the report", { reasons }, { reasons: refuses ? ["JobReportError"] : [] })];
}

async function repeat(session: Session, { death }: Cell): Promise<readonly string[]> {
  const run = { message: MESSAGE, runId: `run: ${death.name}`, ...(death.output !== undefined && { output: OUTPUT }) };
  const results: RunResult<unknown>[] = [];
  const problems = await keepsDone(session, death, async () => void results.push(await session.continue(run)));
  const [result] = results;
  if (!["finished", "guardrail"].includes(death.lastRun)) return problems;
  return [
    ...problems,
    ...differences(
      "the repeated result",
      { ...result, tokens: result?.usage.totalTokens },
      {
        stopReason: death.lastRun,
        turns: death.done.turns,
        tokens: tokensOf(death),
        ...(death.lastRun === "finished" && { text: death.done.texts?.[0] }),
      },
    ),
    ...problemsOfHistory("the history", await session.history(), death),
  ];
}

async function rewind(session: Session, { death }: Cell): Promise<readonly string[]> {
  const message = await session.rewind();
  const state = await session.state();
  return [
    ...differences("the message", { text: message[0]?.parts[0]?.text }, { text: MESSAGE }),
    ...differences(
      "the state",
      { ...state, tokens: state.usage.totalTokens },
      {
        turns: death.done.turns,
        toolCalls: death.done.calls.length,
        tokens: tokensOf(death),
      },
    ),
    ...differences("the history", { contents: (await session.history()).length }, { contents: 0 }),
  ];
}

async function fork(session: Session, { death }: Cell, store: SessionStore): Promise<readonly string[]> {
  const before = JSON.stringify(await store.load(death.name));
  const forked = await session.fork({ id: "fork" });
  const problems = problemsOfHistory("the fork", await forked.history(), death);
  const { stopReason } = await forked.send(NEXT_MESSAGE);
  return [
    ...problems,
    ...differences("the fork's answer", { stopReason }, { stopReason: "finished" }),
    ...problemsOfHistory("the fork's history", (await forked.history()).slice(0, -2), death),
    ...(JSON.stringify(await store.load(death.name)) === before ? [] : ["the fork wrote to the log"]),
  ];
}

/** Continues the run. It may end in any way the code allows, or fail like the code; finished work must stay. */
async function keepsDone(session: Session, death: Death, act: () => Promise<unknown>): Promise<readonly string[]> {
  const { done } = death;
  const problems: string[] = [];
  try {
    await act();
  } catch (error) {
    const { name } = error as Error;
    if (!String(error).includes(BROKEN) && !["LoopVersionError", "NothingToResumeError"].includes(name))
      problems.push(`it rejected: ${String(error)}`);
  }
  const { calls, texts } = readContents(await session.history());
  const { lastRun, turns } = await session.state();
  return [
    ...problems,
    ...executed(done).flatMap((call) =>
      calls.includes(call) || /: (?:unknown|left)$/.test(call) ? [] : [`lost: ${call}`],
    ),
    ...(done.texts ?? []).flatMap((text) => (texts.includes(text) ? [] : [`lost: ${text}`])),
    ...calls.filter((call) => call.endsWith(": denied") || call === "pay 5: paid 5"),
    ...(lastRun !== "cut-off" && turns < answersOf(death) ? [`turns are lost: ${turns} of ${done.turns}`] : []),
  ];
}
