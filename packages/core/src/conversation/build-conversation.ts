import { knownCost } from "../model/prices.ts";
import { describeError } from "../durable/steps.ts";
import type { RunEvent } from "../loop/events.ts";
import { runSoFar } from "../loop/result.ts";
import type { SessionEntry } from "../session/log/entries.ts";
import type { SessionRecords } from "../session/store/records.ts";
import type { Content } from "../wire/types/content.ts";
import { emptyConversation } from "./apply-update.ts";
import type { Conversation, ConversationUpdate } from "./conversation.ts";
import { EventFold, LogFold } from "./fold/conversation-fold.ts";

/**
 * The conversation that a session's log holds, also in the middle of a run.
 *
 * @param records - What stands beside the log; read them first. A held lease counts as a run that is going. Without them a run that has
 *   no end was cut off.
 */
export function buildConversation(
  id: string,
  entries: readonly SessionEntry[],
  { lease, draft }: Pick<SessionRecords, "lease" | "draft"> = {},
): Conversation {
  const fold = new LogFold(id);
  for (const entry of entries) fold.addEntry(entry);
  fold.addRecords({ isRunning: lease?.held === true, draft });
  return fold.conversation;
}

/** Options of {@link conversationUpdates}. */
export interface ConversationUpdatesOptions {
  /** What is shown already. @defaultValue an empty conversation */
  readonly conversation?: Conversation | undefined;
  /** What the run was sent: a text, or whole contents. Its events don't tell. Not needed to resume a run that is shown. */
  readonly input?: string | readonly Content[] | undefined;
  /** The signal of the run: tells a run that was aborted from one that failed. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The events of a run as updates of a conversation; the first one is a snapshot. For a run without a session, and for a front end that
 * has nothing but a `RunStream`; where there is a session, `watchConversation(session)` knows more.
 *
 * Reading it runs the run; leaving it early ends the run.
 *
 * @throws What the run throws, after the update that shows it.
 */
export async function* conversationUpdates(
  events: AsyncIterable<RunEvent>,
  { conversation = emptyConversation(""), input = [], signal }: ConversationUpdatesOptions = {},
): AsyncGenerator<ConversationUpdate, void, void> {
  const contents: readonly Content[] = typeof input === "string" ? [{ role: "user", parts: [{ text: input }] }] : input;
  const fold = new EventFold(conversation, contents);
  yield { type: "snapshot", conversation };
  try {
    for await (const event of events) {
      const update = fold.add(event);
      if (update !== undefined) yield update;
    }
  } catch (error) {
    const { usage, ...money } = runSoFar(error) ?? {};
    const spent = { ...(usage !== undefined && { usage }), ...knownCost(money) };
    const update = fold.fail(describeError(error), signal?.aborted === true || wasStopped(error), spent);
    if (update !== undefined) yield update;
    throw error;
  }
}

/** True for the errors of runs that somebody stopped. */
function wasStopped(error: unknown): boolean {
  return error instanceof Error && ["AbortError", "RunStoppedError", "RunAbandonedError"].includes(error.name);
}
