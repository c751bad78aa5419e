import { HttpError } from "@pollux/core/serving";
import type { Json } from "@pollux/core";
import { type CutLog, cutLog } from "@pollux/core/rehearsal";
import { fieldsOf, listOf, textOf } from "../inspection/read-values.ts";
import type { ForkRequest } from "../inspection/results.ts";
import type { RunFold } from "../inspection/run-fold.ts";
import type { SessionFold } from "../inspection/session-fold.ts";
import { readPlace } from "../inspection/step-place.ts";

/** The beginning of a fork's log. */
export interface ForkedLog {
  readonly entries: readonly Json[];
  /** The fork resumes the run; otherwise it starts one with a message. */
  readonly goesOn: boolean;
}

/**
 * The log of a session up to a turn of one of its runs, with the requested changes: as if the process had died right before the turn's
 * request. The run has a new id, so that its further calls have keys of their own.
 *
 * @param runId - The new id.
 * @throws {HttpError} When the turn or a call isn't there, or the change doesn't belong to that turn.
 */
export function forkLog(fold: SessionFold, run: RunFold, request: ForkRequest, runId: string): ForkedLog {
  const { turn, message, results = {} } = request;
  if (turn === undefined) return forkAfter(fold, run, request);
  const { entries } = cutOrRefuse(fold.entries, { runId: run.runId, turn, newRunId: runId });
  if (message !== undefined && turn !== 1)
    throw invalid("The message of a run is in its first request: fork at the run's first turn to change it.");
  const changed = new Set<string>();
  const kept = entries.map((one, position): Json => {
    const entry = fieldsOf(one);
    if (entry["runId"] !== runId) return one;
    if (position === run.position)
      return asJson({
        ...entry,
        ...(message !== undefined && { input: [{ role: "user", parts: [{ text: message }] }] }),
      });
    return asJson(withResult(entry, results, turn, changed));
  });
  const missing = Object.keys(results).find((callId) => !changed.has(callId));
  if (missing !== undefined) throw invalid(`${missing.slice(0, 40)} has no outcome in the turn before the fork.`);
  // The record of a turn with a changed result is out of date.
  const isOther = (one: Json): boolean => {
    const { type, turn: closed, runId: id } = fieldsOf(one);
    return id === runId && type === "turn" && closed === turn - 1;
  };
  return { entries: changed.size === 0 ? kept : kept.filter((one) => !isOther(one)), goesOn: true };
}

function cutOrRefuse(...[log, at]: Parameters<typeof cutLog>): CutLog {
  try {
    return cutLog(log, at);
  } catch (error) {
    throw error instanceof RangeError ? invalid(error.message) : error;
  }
}

/** The log up to the end of a run. */
function forkAfter(fold: SessionFold, run: RunFold, { message, results }: ForkRequest): ForkedLog {
  if (message === undefined || message.trim() === "")
    throw invalid("Name the turn to fork at, or the message that the fork sends after the run.");
  if (results !== undefined && Object.keys(results).length > 0)
    throw invalid("Outcomes of calls can only be changed in the middle of a run: fork at the turn after the calls.");
  const isNext = (entry: Json): boolean => ["run", "rewind"].includes(textOf(fieldsOf(entry)["type"]) ?? "");
  const next = fold.entries.findIndex((entry, position) => position > run.position && isNext(entry));
  return { entries: fold.entries.slice(0, next === -1 ? undefined : next), goesOn: false };
}

function withResult(
  entry: { readonly [name: string]: unknown },
  results: NonNullable<ForkRequest["results"]>,
  turn: number,
  changed: Set<string>,
): unknown {
  const step = readPlace(entry);
  if ((step.kind !== "call" && step.kind !== "wait") || step.turn !== turn - 1 || !Object.hasOwn(results, step.callId))
    return entry;
  const result = results[step.callId] ?? null;
  if (step.kind === "wait" && step.question !== "outcome" && step.question !== "job") return entry;
  if (entry["type"] === "answer") {
    changed.add(step.callId);
    return { ...entry, value: { output: result } };
  }
  if (entry["type"] === "job") {
    if (entry["outcome"] === undefined) return entry;
    changed.add(step.callId);
    return { ...entry, outcome: { output: result } };
  }
  const outcome = fieldsOf(entry["outcome"]);
  const value = fieldsOf(outcome["value"]);
  const part = fieldsOf(value["part"]);
  if (Object.keys(fieldsOf(part["functionResponse"])).length === 0) return entry;
  // Media were part of the outcome that is replaced.
  const { parts: ____, ...response } = fieldsOf(part["functionResponse"]);
  changed.add(step.callId);
  const { failure: _, shortened: __, ending: ___, ...rest } = value;
  const replaced = { ...part, functionResponse: { ...response, response: { output: result } } };
  return { ...entry, outcome: { ...outcome, ok: true, value: { ...rest, part: replaced, after: [] } } };
}

/** A value made of parts of a log, which are JSON. */
function asJson(value: unknown): Json {
  return value as Json;
}

function invalid(message: string): HttpError {
  return new HttpError(400, "invalid", message);
}

/** The `info` entry of a fork: its title, and the session that it came from. */
export function forkInfo(fold: SessionFold, { runId, turn }: ForkRequest): Json {
  let metadata: { readonly [name: string]: unknown } = {};
  for (const entry of fold.entries) {
    const { type, metadata: latest } = fieldsOf(entry);
    if (type === "info" && latest !== undefined) metadata = fieldsOf(latest);
  }
  const texts = Object.fromEntries(Object.entries(metadata).filter(([, value]) => typeof value === "string"));
  const where = turn === undefined ? "a later message" : `turn ${fold.run(runId)?.turns.get(turn)?.number ?? turn}`;
  const title = `${fold.title === "" ? fold.id : fold.title} (fork at ${where})`;
  return asJson({ v: 3, at: Date.now(), type: "info", title, metadata: { ...texts, forkOf: fold.id } });
}

/** Reads a request to fork. @throws {HttpError} For an invalid one. */
export function readForkRequest(body: Json): ForkRequest {
  const given = fieldsOf(body);
  const { runId, turn, message, results, instructions, tools, answers, agent } = given;
  if (typeof runId !== "string") throw invalid("runId must be the id of a run.");
  if (answers !== "service" && answers !== "emulator") throw invalid('answers must be "service" or "emulator".');
  for (const [name, value] of Object.entries({ message, instructions, agent }))
    if (value !== undefined && typeof value !== "string") throw invalid(`${name} must be a text.`);
  if (turn !== undefined && typeof turn !== "number") throw invalid("turn must be a number.");
  if (results !== undefined && fieldsOf(results) !== results) throw invalid("results must be an object.");
  if (tools !== undefined && !(Array.isArray(tools) && listOf(tools).every((name) => typeof name === "string")))
    throw invalid("tools must be a list of names.");
  // Checked member by member.
  return given as unknown as ForkRequest;
}
