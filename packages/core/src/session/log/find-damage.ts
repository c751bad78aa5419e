import { LOOP_VERSION, modelStepName, parseStepName } from "../../durable/run-log.ts";
import { messageOf } from "../../errors/agent-error.ts";
import { SessionDamagedError } from "../../errors/run-errors.ts";
import { isObject } from "../../internal/json.ts";
import type { Content } from "../../wire/types/content.ts";
import type { SessionEntry } from "./entries.ts";
import { listRunContents, type RunRecord, type SessionView } from "./session-view.ts";

/**
 * Finds what a log has lost, before an entry is read that depends on it: nothing may be written after it.
 *
 * @param view - What the entries before it say.
 * @returns What is missing or unreadable, or `undefined`.
 */
export function findDamage(view: SessionView, entry: SessionEntry): string | undefined {
  switch (entry.type) {
    case "history":
      return findBadContents(entry.parts.flatMap((part): readonly unknown[] => listOf(part, "contents")));
    case "run":
      return findBadContents(entry.input) ?? findDamagedEnd(view.run);
    case "steer":
      return findBadContents(entry.contents);
    case "info":
      return undefined;
    case "rewind":
      return view.starts.some((start) => start.entry.runId === entry.before)
        ? undefined
        : `it goes back to before run ${entry.before}, which is not part of the conversation`;
    default:
  }
  return view.runIds.has(entry.runId) ? undefined : `run ${entry.runId} has no beginning in the log`;
}

/** Finds what a run's last ending refers to and the log has lost; those before it do not count. */
export function findDamagedEnd(run: RunRecord | undefined): string | undefined {
  if (run?.end === undefined) return undefined;
  try {
    return findBadContents(listRunContents(run));
  } catch (error) {
    return messageOf(error);
  }
}

/** @throws {SessionDamagedError} For a run whose steps cannot be read to the last. */
export function checkAnswers(sessionId: string, record: RunRecord): void {
  const missing = findMissingAnswer(record);
  if (missing !== undefined) throw new SessionDamagedError(sessionId, missing);
}

/**
 * Finds a turn that lost the model's answer. Asked again, the model would say something else, and what its calls left would answer
 * others.
 *
 * @returns What is missing from a run that is about to be continued, or `undefined`.
 */
function findMissingAnswer({ entry, outcomes, order }: RunRecord): string | undefined {
  // Other versions have other names.
  if (entry.loop !== LOOP_VERSION) return undefined;
  for (const step of order) {
    const name = parseStepName(step);
    if (name.kind === "other" || name.kind === "compact" || name.kind === "model") continue;
    const answer = modelStepName("work", name.turn, 0);
    if (!outcomes.has(answer)) return `${step} of run ${entry.runId} is in the log, and ${answer} is not`;
  }
  return undefined;
}

/** Only what every reader of contents relies on. */
function findBadContents(contents: readonly unknown[]): string | undefined {
  const isReadable = (content: unknown): content is Content => {
    const parts = listOf(content, "parts");
    return isObject(content) && Array.isArray(content["parts"]) && parts.every(isObject);
  };
  return contents.every(isReadable) ? undefined : "one of its contents has no list of parts";
}

function listOf(value: unknown, name: string): readonly unknown[] {
  const list = isObject(value) ? value[name] : undefined;
  return Array.isArray(list) ? list : [undefined];
}
