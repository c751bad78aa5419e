import type { Json, SessionStore } from "@pollux/core";
import { cutExchanges, type Recording, type ScrubbedRecording, scrubRecording } from "@pollux/core/rehearsal";
import { openAgent } from "../trials/make-trial.ts";
import { replayCase } from "../worlds/replay-trial.ts";
import type { EvalSuite } from "./eval-suite.ts";
import { type CaseText, type Fields, fieldsOf, type SessionCaseFile, sessionCaseFiles } from "./session-case.ts";

/** What a suite says about recorded cases and their agent. */
type CaseSuite = Pick<EvalSuite, "name" | "agent" | "variants" | "scrub" | "context">;

/** What to make a case of, and for which suite. */
export interface ProposeCaseOptions extends Pick<SessionCaseFile, "turn" | "turns" | "tags" | "metadata"> {
  readonly store: Pick<SessionStore, "load">;
  /** Where `keepExchanges` wrote. Without the requests of the run there is a `problem`: nothing can be compared. */
  readonly exchangesStore?: Pick<SessionStore, "load"> | undefined;
  readonly sessionId: string;
  /** @defaultValue the last one */
  readonly runId?: string | undefined;
  readonly suite: CaseSuite;
  /** Removed besides Google's keys, such as keys of the environment. @defaultValue none */
  readonly secrets?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A case that could be written. */
export interface ProposedCase extends Pick<ScrubbedRecording, "differences" | "counts"> {
  /** Files for `writeSessionCase()`. */
  readonly files: readonly CaseText[];
  readonly about: SessionCaseFile;
  /** Requests of the run that the suite's agent builds byte for byte. */
  readonly requests: number;
  /** Why it must not be written, with what to do. */
  readonly problem?: string | undefined;
}

/**
 * Makes a case of a recorded run: its session up to the end of the run, scrubbed by the suite's function. The suite's agent makes the run again
 * from it, and there is a `problem` if one byte of a request differs. Writes nothing.
 *
 * @throws {TypeError} When the suite has no `scrub`, or the store has no such session, run or turn. What the stores and `scrub` throw.
 */
export async function proposeCase(options: ProposeCaseOptions): Promise<ProposedCase> {
  const { store, exchangesStore, sessionId, suite, turn, turns, tags, metadata, secrets } = options;
  const { scrub } = suite;
  if (scrub === undefined)
    throw new TypeError(
      `The suite "${suite.name}" has no scrub, which removes from a text what must not be kept: give it one, such as scrub: (text) => text.replaceAll(customer, "Kim").`,
    );
  const [log, exchanges] = await Promise.all([store.load(sessionId), exchangesStore?.load(sessionId) ?? []]);
  if (log.length === 0) throw new TypeError(`There is no session "${sessionId}" in the store.`);
  const run = findRun(log, options.runId, sessionId);
  const runId = String(run["runId"]);
  const own = log.filter((entry) => fieldsOf(entry)["runId"] === runId);
  const made = Math.max(0, ...own.map((entry) => Number(fieldsOf(fieldsOf(entry)["place"])["turn"] ?? 0)));
  if (turn !== undefined && !(Number.isSafeInteger(turn) && turn >= 1 && turn <= made))
    throw new TypeError(`The run ${runId} has no turn ${turn}: it has 1 to ${made}.`);
  const last = log.findLastIndex((entry) => fieldsOf(entry)["runId"] === runId);
  const recording: Recording = { log: log.slice(0, last + 1), exchanges: cutExchanges(exchanges, runId) };
  const scrubbed = scrubRecording(recording, scrub, { secrets });
  const about: SessionCaseFile = {
    v: 1,
    runId,
    turn,
    turns,
    tags,
    metadata,
    recordedAt: Number(run["at"]),
    agent: String(run["agent"]),
    scrubbed: true,
  };
  const found = await compare(options, recording, scrubbed.recording, about);
  const { differences, counts } = scrubbed;
  return { files: sessionCaseFiles(scrubbed.recording, about), about, differences, counts, ...found };
}

function findRun(log: readonly Json[], runId: string | undefined, sessionId: string): Fields {
  const runs = log.map(fieldsOf).filter(({ type }) => type === "run");
  const run = runId === undefined ? runs.at(-1) : runs.find((one) => one["runId"] === runId);
  if (run !== undefined) return run;
  throw new TypeError(
    runId === undefined
      ? `The session "${sessionId}" has no run.`
      : `The session "${sessionId}" has no run ${runId}; it has ${runs.map((one) => String(one["runId"])).join(", ") || "none"}.`,
  );
}

async function compare(
  { suite, signal }: ProposeCaseOptions,
  recording: Recording,
  scrubbed: Recording,
  { runId, recordedAt }: SessionCaseFile,
): Promise<Pick<ProposedCase, "requests" | "problem">> {
  if (!recording.log.some((entry) => fieldsOf(entry)["runId"] === runId && fieldsOf(entry)["type"] === "end"))
    return { requests: 0, problem: `The run ${runId} has not ended: wait for it, or name another.` };
  if (recording.exchanges.length === 0)
    return {
      requests: 0,
      problem: `The requests of the run ${runId} were not kept, so nothing can be compared: give the agent keepExchanges as an observer, and name where it writes.`,
    };
  const replay = async (one: Recording) => {
    const made = { suite, one: { id: runId }, number: 1, variant: suite.variants?.[0] };
    const agent = await openAgent(made, () => recordedAt);
    return await replayCase(agent, { recording: one, runId }, { context: suite.context, signal });
  };
  const { requests = 0, why } = await replay(scrubbed);
  if (why === undefined) return { requests };
  const before = await replay(recording);
  return {
    requests,
    problem:
      before.why === undefined
        ? `After scrub, the run is not the same: ${why}. Don't let scrub change what the agent's own code writes, such as its instructions, and let it change the same text everywhere in the same way.`
        : `The agent differs from the recording even without scrub: ${before.why}. Record the session again with this version.`,
  };
}
