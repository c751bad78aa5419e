import { setImmediate } from "node:timers/promises";
import { Agent, type Session } from "@pollux/core";
import type { Conversation, ConversationChange, Message } from "@pollux/core/conversation";
import type { Scene, Script } from "../../../core/test/conversation/scripts.ts";
import { WatchedStore, Watcher } from "../../../core/test/conversation/watched-store.ts";
import type { SessionFace } from "../../../core/test/session/session-faces.ts";
import { answersTo } from "../../../core/test/helpers/answers.ts";

/** One response: the states of a message while its run goes. */
export interface Response {
  readonly id: string;
  /** What the page has that sent answers. */
  readonly known?: Message | undefined;
  readonly states: (readonly [Message, Conversation])[];
}

/** What two pages have seen of a script. */
export interface Played {
  /** In the process of the runs. */
  readonly here: readonly Conversation[];
  readonly there: readonly Conversation[];
  readonly end: Conversation;
}

/** Plays a script for a page that is open from the beginning, and one of another process. */
export async function play(script: Script, face: SessionFace): Promise<Played> {
  const store = new WatchedStore();
  const open = (): Session =>
    new Agent({ model: script.model(), instructions: "SYSTEM", ...script.agent }).session({ id: "s", store });
  const [session, other] = [open(), open()];
  const [here, there] = [new Watcher(session), new Watcher(other)];
  await setImmediate();
  const quietly = async (work: Promise<unknown>): Promise<unknown> => await work.catch((error: unknown) => error);
  const scene: Scene = {
    face,
    session,
    other,
    send: (message, options) => quietly(face.send(session, message, options)),
    resume: async (options = {}) => quietly(face.resume(session, await answersTo(session, options))),
    regenerate: (options) => quietly(face.regenerate(session, options)),
  };
  await (script.play ?? (({ send }) => send("Hello.")))(scene);
  await here.stop();
  await there.stop();
  noteChanges(here);
  noteChanges(there);
  return { here: here.states, there: there.states, end: await store.look("s") };
}

/** What led to a state that somebody watched. */
const changes = new WeakMap<Conversation, readonly ConversationChange[]>();

function noteChanges({ updates, states }: Watcher): void {
  for (const [index, update] of updates.entries()) {
    const state = states[index];
    if (state !== undefined && state !== states[index - 1] && update.type === "changes")
      changes.set(state, update.changes);
  }
}

/** How an encoder is shown each state: with what led to it, or left to compare. */
export type Shows = (conversation: Conversation) => readonly ConversationChange[] | undefined;

export const WITH_CHANGES: Shows = (conversation) => changes.get(conversation);
export const BY_COMPARING: Shows = () => undefined;

/** Plays each script once by a face, for all that is expected of it. */
export function playsBy(face: SessionFace): (script: Script) => Promise<Played> {
  const plays = new Map<Script, Promise<Played>>();
  return (script) => {
    const known = plays.get(script) ?? play(script, face);
    plays.set(script, known);
    return known;
  };
}

/** The responses that a page gets that follows each run. */
export function responses(conversations: readonly Conversation[]): readonly Response[] {
  const all: Response[] = [];
  const last = new Map<string, Message>();
  /** What the page was shown last. */
  const shown = new Map<string, Message>();
  let open: Response | undefined;
  for (const conversation of conversations) {
    const message = conversation.messages.at(-1);
    if (message === undefined || message.role === "user" || last.get(message.id) === message) continue;
    const before = last.get(message.id);
    last.set(message.id, message);
    if (open?.id !== message.id) open = undefined;
    if (open === undefined) {
      if (message.state !== "streaming" && before !== undefined) continue;
      open = { id: message.id, known: before?.state === "waiting" ? shown.get(message.id) : undefined, states: [] };
      all.push(open);
    }
    open.states.push([message, conversation]);
    shown.set(message.id, message);
    if (message.state !== "streaming") open = undefined;
  }
  return all;
}
