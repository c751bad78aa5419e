import {
  type CallRoute,
  LOOP_VERSION,
  type ModelStepValue,
  type NumberedCall,
  numberCalls,
  stepName,
  type StepPlace,
} from "../../durable/run-log.ts";
import { messageOf } from "../../errors/agent-error.ts";
import { InvalidApprovalError, SessionConflictError, SessionDamagedError } from "../../errors/run-errors.ts";
import { JobReportError, NothingToResumeError, UnexpectedAnswerError } from "../../errors/session-errors.ts";
import { isObject } from "../../internal/json.ts";
import {
  buildPendingCall,
  checkEditable,
  editedArgs,
  findArgumentProblem,
  questionToken,
} from "../../tool/pending-call.ts";
import { jsonSafe } from "../../tool/function-response.ts";
import type { Approval, ExternalOutcome, PendingCall, Tool, ToolJob } from "../../tool/tool.ts";
import type { FunctionCall } from "../../wire/types/content.ts";
import { type CallStanding, standOf } from "../log/call-standing.ts";
import { PlacedSteps, type RunRecord } from "../log/run-record.ts";
import { type NewEntry, SessionLog } from "../log/session-log.ts";
import type { SessionView } from "../log/session-view.ts";
import type { Answers } from "./session-host.ts";
import { checkAtLeast, checkOptions, namesIn, type OptionNames } from "../../internal/option-names.ts";
import { compareSummaries, type SessionFilter, type SessionStore, type SessionSummary } from "../store/store.ts";

/** The entries of answers. @throws {UnexpectedAnswerError} For an answer to no open question; names the open ones. */
export function buildAnswerEntries(sessionId: string, view: SessionView, answers: Answers): NewEntry[] {
  const { approvals = {}, outcomes = {}, by } = answers;
  const given = { approvals, outcomes };
  const { run } = view;
  const pending = run === undefined ? [] : openQuestions(run);
  return (["approvals", "outcomes"] as const).flatMap((kind) =>
    Object.entries(given[kind]).map(([token, answer]) => {
      const question = pending.find(
        (one) => one.token === token && (one.question === "approval") === (kind === "approvals"),
      );
      if (run === undefined || question === undefined) throw unexpected(sessionId, view, pending, kind, token);
      return buildEntry(run, question, answer, by);
    }),
  );
}

/** The entries that withdraw a run's open questions, because it continues with a message. */
export function buildWithdrawals(record: RunRecord): NewEntry[] {
  const withdrawn = "another message came";
  return openQuestions(record).map((question) => buildEntry(record, question, { withdrawn }, undefined));
}

/** True for a run that waits, or was cut off, and has answers that it has not used. */
export function hasUnusedAnswers({ end, entry, answered }: RunRecord): boolean {
  // A run of another loop version is only closed.
  return answered.size > 0 && (end === undefined || end.pending !== undefined) && entry.loop === LOOP_VERSION;
}

/**
 * Checks answers with the tools of their calls, if known.
 *
 * @returns The answers, with outputs of jobs as their schemas parse them.
 * @throws {InvalidApprovalError} For arguments that don't fit.
 * @throws {JobReportError} For an output of a job that doesn't fit.
 */
export async function checkByTools(
  sessionId: string,
  record: RunRecord,
  answers: Answers,
  findTool?: (call: FunctionCall) => Tool | undefined,
): Promise<Answers> {
  const { approvals = {} } = answers;
  const outcomes = { ...answers.outcomes };
  for (const question of openQuestions(record)) {
    const { callId, call, token, job } = question;
    const tool = findTool?.(call);
    const outcome = Object.hasOwn(outcomes, token) ? outcomes[token] : undefined;
    if (tool?.job !== undefined && isObject(outcome) && "output" in outcome)
      outcomes[token] = {
        output: await parseOutput(sessionId, job?.jobId ?? callId, tool.job, outcome.output ?? null),
      };
    const approval = Object.hasOwn(approvals, token) ? approvals[token] : undefined;
    if (!isObject(approval) || !("args" in approval)) continue;
    const args = editedArgs(approval);
    if (args !== undefined) checkEditable(question, args);
    const problem = args === undefined ? "expected an object" : tool && (await findArgumentProblem(tool, args));
    if (problem !== undefined) throw new InvalidApprovalError(callId, call.name, problem);
  }
  return { ...answers, outcomes };
}

/** The output of a job, as its schema parses it. @throws {JobReportError} When it doesn't fit. */
export async function parseOutput(sessionId: string, job: string, tool: ToolJob, output: unknown): Promise<unknown> {
  try {
    return await tool.parseOutput(output);
  } catch (error) {
    throw new JobReportError(sessionId, job, "invalid-output", messageOf(error));
  }
}

/**
 * Stores answers to the last run's questions, whether it is in progress or not.
 *
 * @throws {UnexpectedAnswerError} {@link buildAnswerEntries}
 * @throws {InvalidApprovalError | JobReportError} {@link checkByTools}
 * @throws {NothingToResumeError} For a session that was deleted, or has no run.
 */
export async function storeAnswers(
  log: SessionLog,
  answers: Answers,
  findTool?: Parameters<typeof checkByTools>[3],
): Promise<void> {
  await log.refresh();
  const { run } = log.view;
  // Rejects answers to questions that are not open: only answers to open questions can be checked.
  buildAnswerEntries(log.id, log.view, answers);
  if (run === undefined) throw new NothingToResumeError(log.id, "it has no run yet");
  const checked = await checkByTools(log.id, run, answers, findTool);
  try {
    await log.append({}, (view) => buildAnswerEntries(log.id, view, checked));
  } catch (error) {
    const isDeleted = error instanceof SessionConflictError && error.actualLength === 0;
    throw isDeleted ? new NothingToResumeError(log.id, "it was deleted") : error;
  }
}

/** A run's open questions. While it is in progress, the questions of its open turn: it may still be busy with other calls. */
export function openQuestions(record: RunRecord): readonly PendingCall[] {
  if (record.end !== undefined) return record.end.pending ?? [];
  return listOpenCalls(record).flatMap(({ standing, ...made }): readonly PendingCall[] => {
    if (standing.state !== "asking") return [];
    const { call, edited, question, asked, time } = standing;
    return [buildPendingCall(record.entry.runId, { ...made, call, edited, question }, asked, time)];
  });
}

/** The calls of a run's open turn, with their states. */
export function listOpenCalls(record: RunRecord): readonly (NumberedCall & { readonly standing: CallStanding })[] {
  const steps = new PlacedSteps(record, record.turns.at(-1)?.turn);
  const turn = steps.turns().at(-1);
  if (turn === undefined) return [];
  const routes = steps.find<readonly CallRoute[]>({ kind: "route", turn })?.value;
  const answer = steps.inTurn(turn).findLast(({ place }) => place.kind === "model" && place.phase === "work");
  // Model steps record this type.
  const { response } = (answer?.value ?? {}) as Partial<ModelStepValue>;
  return numberCalls(turn, response).map((made, index) => {
    return { ...made, standing: standOf(steps, made, routes?.[index]) };
  });
}

function unexpected(
  sessionId: string,
  { answered }: SessionView,
  pending: readonly PendingCall[],
  kind: "approvals" | "outcomes",
  token: string,
): UnexpectedAnswerError {
  const waiting = pending
    .map(({ call, callId, question, token: key }) => `"${key}" (${callId}, ${call.name}: ${question})`)
    .join(", ");
  const what = waiting === "" ? "no call is waiting" : `waiting: ${waiting}`;
  const reason = answered.get(token) ?? "is not the token of an open question";
  return new UnexpectedAnswerError(sessionId, token, { reason, message: `${kind}: "${token}" ${reason}; ${what}` });
}

function buildEntry(
  record: RunRecord,
  question: PendingCall,
  answer: Approval | ExternalOutcome,
  by: string | undefined,
): NewEntry {
  const { turn, callId, token } = question;
  const { runId } = record.entry;
  // All questions but those about outcomes may repeat, at most once for each recorded step.
  let time = 1;
  while (time <= record.outcomes.size && questionToken(runId, question, time) !== token) time++;
  const place: StepPlace = { kind: "wait", turn, callId, question: question.question, time };
  if (question.question !== "unknown-outcome" && isObject(answer) && "notExecuted" in answer)
    throw new TypeError(`outcomes: ${callId} runs elsewhere, so it needs an output or an error`);
  const hasNoOutput = isObject(answer) && "output" in answer && answer["output"] === undefined;
  // A function without a result has the output null, here as in a tool.
  const { value, refused } = jsonSafe(hasNoOutput ? { output: null } : answer);
  if (refused !== undefined) throw new TypeError(`the answer to ${callId} has no JSON form: ${refused}`);
  return { type: "answer", runId, step: stepName(place), place, value, token, by };
}

/** A call that waits for an answer, and the session that it belongs to. */
export interface WaitingCall extends PendingCall, Pick<SessionSummary, "owner" | "title" | "metadata"> {
  readonly sessionId: string;
  readonly runId: string;
  /** When its run last recorded a step or ended, in milliseconds since the epoch: the question was open by then. */
  readonly askedAt: number;
}

/** Options of {@link listPendingCalls}. */
export interface WaitingCallsOptions extends Pick<SessionFilter, "owner" | "prefix" | "metadata"> {
  /** Only calls that this person or role may answer, as the tool's `approvedBy` names it. */
  readonly approvedBy?: string | undefined;
  /** How many waiting or running sessions are read for one page. @defaultValue 100 */
  readonly limit?: number | undefined;
  /** Where to continue: `next` of the previous page. @defaultValue the beginning */
  readonly after?: string | undefined;
}

/** One page of waiting calls. */
export interface WaitingCalls {
  readonly calls: readonly WaitingCall[];
  /** For the next page; absent on the last one. A page may be empty and not the last. */
  readonly next?: string | undefined;
  /** Ids of sessions that cannot be read: `pollux session check` says why. Absent when there are none. */
  readonly damaged?: readonly string[] | undefined;
}

const OPTIONS: OptionNames<WaitingCallsOptions> = namesIn("owner prefix metadata approvedBy limit after");

/** Documented in `store-operations.ts`, like {@link answerCalls}. */
export async function listPendingCalls(store: SessionStore, options: WaitingCallsOptions): Promise<WaitingCalls> {
  checkOptions("listPendingCalls()", options, OPTIONS);
  const { approvedBy, limit = 100, after, ...filter } = options;
  checkAtLeast("limit", limit, 1);
  const last = after === undefined ? undefined : { id: after, updatedAt: 0 };
  const list = (state: "waiting" | "running"): Promise<readonly SessionSummary[]> =>
    store.list({ ...filter, state, order: "id", limit, after: last });
  const both = [...(await list("waiting")), ...(await list("running"))];
  // A session whose run has just continued may be in both.
  const all = new Map(both.map((session) => [session.id, session]));
  const sessions = [...all.values()].toSorted(compareSummaries("id")).slice(0, limit);
  const found: WaitingCall[] = [];
  const damaged: string[] = [];
  // One after the other: a log may be long.
  for (const session of sessions) {
    try {
      found.push(...(await readWaiting(store, session)));
    } catch (error) {
      if (!(error instanceof SessionDamagedError)) throw error;
      damaged.push(session.id);
    }
  }
  const calls = found.filter((one) => approvedBy === undefined || one.approvedBy === approvedBy);
  const next = sessions.length < limit ? undefined : sessions.at(-1)?.id;
  return { calls, ...(next !== undefined && { next }), ...(damaged.length > 0 && { damaged }) };
}

async function readWaiting(
  store: SessionStore,
  { id, owner, title, metadata }: SessionSummary,
): Promise<WaitingCall[]> {
  const log = new SessionLog(store, id);
  await log.refresh();
  const { run } = log.view;
  if (run === undefined) return [];
  const about = { sessionId: id, runId: run.entry.runId, owner, title, metadata, askedAt: run.askedAt };
  return openQuestions(run).map((question) => ({ ...question, ...about }));
}

export async function answerCalls(store: SessionStore, sessionId: string, answers: Answers): Promise<void> {
  await storeAnswers(new SessionLog(store, sessionId), answers);
}
