import { type AppendOptions, type Draft, type Json, MemoryStore, type Session, type SessionEntry } from "@pollux/core";
import {
  applyUpdate,
  type Conversation,
  buildConversation,
  type ConversationUpdate,
  watchConversation,
} from "@pollux/core/conversation";
import { expect } from "vitest";

/** A store that keeps a snapshot after each change, as a reader who arrives then sees it. */
export class WatchedStore extends MemoryStore {
  readonly snapshots: Conversation[] = [];
  /** Called after each change. */
  onChange: () => void = () => {};

  override async append(id: string, length: number, entries: readonly Json[], options?: AppendOptions): Promise<void> {
    await super.append(id, length, entries, options);
    await this.#look(id);
  }

  override async setDraft(id: string, token: number, draft: Draft | undefined): Promise<void> {
    await super.setDraft(id, token, draft);
    await this.#look(id);
  }

  async look(id: string): Promise<Conversation> {
    const records = await this.records(id);
    return buildConversation(id, (await this.load(id)) as unknown as SessionEntry[], records);
  }

  async #look(id: string): Promise<void> {
    this.snapshots.push(await this.look(id));
    this.onChange();
  }
}

/** A reader of a session's conversation, which keeps all that it receives. */
export class Watcher {
  readonly updates: ConversationUpdate[] = [];
  /** The conversation after each update. */
  readonly states: Conversation[] = [];
  readonly #over: Promise<void>;
  readonly #leave = new AbortController();

  constructor(session: Session) {
    this.#over = this.#read(session);
  }

  get conversation(): Conversation | undefined {
    return this.states.at(-1);
  }

  async #read(session: Session): Promise<void> {
    for await (const update of watchConversation(session, { signal: this.#leave.signal })) {
      this.updates.push(update);
      this.states.push(applyUpdate(this.conversation, update));
    }
  }

  /** Reads the last updates, once everything is done. */
  async stop(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    this.#leave.abort();
    await this.#over;
  }
}

/** Expects what is true of any conversation at any moment. */
export function expectSound(conversation: Conversation): void {
  const ids = conversation.messages.map(({ id }) => id);
  expect(new Set(ids).size, `ids of messages: ${ids.join(", ")}`).toBe(ids.length);
  const pending: string[] = [];
  for (const message of conversation.messages) {
    const partIds = message.parts.map(({ id }) => id);
    expect(new Set(partIds).size, `ids of parts: ${partIds.join(", ")}`).toBe(partIds.length);
    for (const part of message.parts) {
      if (part.type === "text" || part.type === "thought") expect(part.text).not.toBe("");
      if (part.type === "tool-call" && part.state.startsWith("pending-")) pending.push(`${message.id} ${part.id}`);
    }
  }
  expect(conversation.pending.map((one) => `${one.messageId} ${one.callId}`)).toEqual(pending);
  expect(JSON.parse(JSON.stringify(conversation))).toEqual(conversation);
}

/** Expects the laws of updates, for all updates of a reader. @returns The conversation at the end. */
export function expectLaws(updates: readonly ConversationUpdate[]): Conversation {
  let conversation: Conversation | undefined;
  for (const update of updates) {
    const sent = JSON.parse(JSON.stringify(update)) as ConversationUpdate;
    expect(sent).toEqual(update);
    const next = applyUpdate(conversation, sent);
    expect(applyUpdate(next, sent), "an update applied twice").toBe(next);
    expectSound(next);
    conversation = next;
  }
  if (conversation === undefined) throw new Error("there were no updates");
  return conversation;
}
