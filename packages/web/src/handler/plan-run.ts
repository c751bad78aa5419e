import { HttpError } from "@pollux/core/serving";
import type { Conversation, Message } from "@pollux/core/conversation";
import type { ChatMessage, ChatRequest } from "../chat-protocol.ts";

/** The run that answers a message of a client. */
export interface RunPlan {
  readonly runId: string;
  /** The message of the conversation that is removed first, with all that followed. */
  readonly replaces?: string | undefined;
  /** The stored message is sent again. */
  readonly isSame?: true | undefined;
}

/**
 * Finds the run that answers a message: the same one however often a client sends the message, and another one in any other conversation.
 *
 * Its id begins with the message's, so that it can be found when the message is edited or regenerated:
 * `<message><text>~2` is the second run, which replaced the first.
 *
 * @param session - Id of the session.
 * @throws {HttpError} For a message that is changed before a run has read it.
 */
export async function planRun(
  session: string,
  { message, revision }: Pick<ChatRequest, "message" | "revision">,
  conversation: Conversation,
): Promise<RunPlan> {
  if (message?.id === undefined) return { runId: crypto.randomUUID() };
  const runs = conversation.messages.flatMap(({ role, runId }) =>
    role === "model" && runId !== undefined ? [readRunId(runId)] : [],
  );
  const { queued } = conversation;
  const isQueued = queued.some(({ id }) => id === message.id);
  const own = await nameMessage(session, isQueued ? `${message.id}:user` : message.id, message);
  const target = runs.findLast(({ root }) => root === own.first || root.startsWith(own.key));
  // Sent twice, or not changed. The id of a run that was not started here does not tell the text of its message.
  const known =
    target?.root === own.root || (revision === undefined && target?.root === own.first) ? target : undefined;
  switch (revision?.kind) {
    case "regenerate": {
      const { answerId } = revision;
      const named = runs.find(({ runId }) => `${runId}:assistant` === answerId);
      const isGoing = answerId === undefined && conversation.state === "running" && target === runs.at(-1);
      // Sent twice: the new answer already exists, or is being written.
      const done = named === undefined ? (findNewerRun(runs, answerId) ?? (isGoing ? target : undefined)) : undefined;
      const old = named ?? target;
      if (done !== undefined || old === undefined) return { runId: done?.runId ?? own.root };
      return { runId: `${old.root}~${old.count + 1}`, replaces: `${old.runId}:assistant`, isSame: true };
    }
    case "edit":
      if (
        known === undefined &&
        target === undefined &&
        queued.some(({ id }) => id !== own.root && id.startsWith(own.key))
      )
        throw new HttpError(409, "queued", "The message waits to be read and can't be changed. Send another one.");
      if (known !== undefined || target === undefined) return { runId: known?.runId ?? own.root };
      return { runId: `${own.root}~${target.count + 1}`, replaces: `${target.runId}:assistant` };
    default:
      return { runId: known?.runId ?? own.root };
  }
}

/** Whether a page shows an answer, given the id of the page's last message: the answer, a part of it, or the message that it answers. */
export async function isShown(
  session: string,
  shown: string,
  { id, runId = "" }: Pick<Message, "id" | "runId">,
): Promise<boolean> {
  if (shown === id || shown.startsWith(`${id}/`)) return true;
  const { key, first } = await nameMessage(session, shown, { input: [] });
  const { root } = readRunId(runId);
  return root === first || root.startsWith(key);
}

/** The id of a run, taken apart: the id of the first run on the message, and how many runs later this one came. */
interface RunName {
  readonly runId: string;
  readonly root: string;
  readonly count: number;
}

function readRunId(runId: string): RunName {
  const [, root = runId, count = "0"] = /^(.+)~(\d{1,9})$/.exec(runId) ?? [];
  return { runId, root, count: Number(count) };
}

/** The run that took the place of one that the conversation no longer has. */
function findNewerRun(runs: readonly RunName[], answerId: string | undefined): RunName | undefined {
  if (answerId?.endsWith(":assistant") !== true) return undefined;
  const { root, count } = readRunId(answerId.slice(0, -":assistant".length));
  return runs.findLast((run) => run.root === root && run.count > count);
}

/** How the runs on a message are named. */
interface MessageName {
  /** The beginning of all their ids, except for a run that was not started here. */
  readonly key: string;
  /** The id of the first run on the message as it is. */
  readonly root: string;
  /** The id of the first run on the message, if the message's id contains one. */
  readonly first: string | undefined;
}

async function nameMessage(session: string, id: string, { input }: ChatMessage): Promise<MessageName> {
  // A page that was loaded knows the message by the id that it has in the conversation, which is made of a run's.
  const first = id.endsWith(":user") ? readRunId(id.slice(0, -":user".length)).root : undefined;
  const [ofId, ofText] = await Promise.all([hash([session, id]), hash([session, input])]);
  const key = first !== undefined && OWN.test(first) ? first.slice(0, HASH) : ofId;
  return { key, root: `${key}${ofText}`, first };
}

/** Characters of a hash. */
const HASH = 16;
const OWN = /^[0-9a-f]{32}$/;

async function hash(value: unknown): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(value))));
  return Array.from(bytes.subarray(0, HASH / 2), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
