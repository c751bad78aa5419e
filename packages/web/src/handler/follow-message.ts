import {
  applyUpdate,
  type Conversation,
  type ConversationChange,
  type ConversationUpdate,
  type Message,
  readConversation,
  type WatchableSession,
  watchConversation,
} from "@pollux/core/conversation";
import { changesOf } from "../added-text.ts";
import type { GoingRun } from "./going-run.ts";
import type { News, SessionPage } from "./page-log.ts";

/** A message as it is at one time. */
export interface Sight {
  readonly conversation: Conversation;
  /** Absent while there is none yet. */
  readonly message: Message | undefined;
  /** Nothing more will come. */
  readonly isOver: boolean;
  /** What has changed since the previous sight. Absent where that is not known. */
  readonly changes?: readonly ConversationChange[] | undefined;
}

/** Most news that wait for a slow reader: beyond that, the oldest is dropped. */
const MAX_NEWS = 256;

/** Follows one message of a conversation until its run is over. A slow follower skips states in between. */
export class MessageFollower {
  readonly #session: WatchableSession;
  readonly #page: SessionPage;
  /** What the client calls the conversation. */
  readonly #id: string;
  readonly #updates: AsyncIterator<ConversationUpdate, void>;
  #next: Promise<IteratorResult<ConversationUpdate, void>> | undefined;
  #conversation: Conversation | undefined;
  #find: (conversation: Conversation) => Message | undefined = () => undefined;
  #run: GoingRun | undefined;
  #isPatient = false;
  /** The message was seen. */
  #wasSeen = false;
  /** The message was seen while its run was going. */
  #wasGoing = false;
  #wake: () => void = () => {};
  /** News that nobody has taken yet. */
  #news: News[] = [];
  #hasNews = false;

  constructor(session: WatchableSession, page: SessionPage, id: string, signal: AbortSignal) {
    this.#session = session;
    this.#page = page;
    this.#id = id;
    this.#updates = watchConversation(session, { signal });
    page.listen((news) => {
      if (news !== undefined) this.#news = [...this.#news.slice(1 - MAX_NEWS), news];
      this.#hasNews = true;
      this.#wake();
    }, signal);
  }

  /** The conversation as it is now; undefined when the client has left. Called once, first. */
  async open(): Promise<Conversation | undefined> {
    const { value } = await this.#updates.next();
    if (value === undefined) return undefined;
    this.#conversation = applyUpdate(undefined, value);
    return this.#shown(this.#conversation);
  }

  /**
   * Chooses the message to follow. Once it is found, it remains the same one.
   *
   * @param isPatient - A message that waits for an answer is followed until it has continued.
   */
  choose(find: (conversation: Conversation) => Message | undefined, isPatient: boolean = false): void {
    this.#isPatient = isPatient;
    this.#find = (conversation) => {
      const found = find(conversation);
      if (found !== undefined) this.#find = ({ messages }) => messages.find(({ id }) => id === found.id);
      return found;
    };
  }

  /** Names the run that writes the message: if it is refused, or ends before anything was seen of it, there is nothing to wait for. */
  attach(run: GoingRun): void {
    this.#run = run;
    this.#wasGoing = false;
    void run.over.then(() => this.#wake());
  }

  /** The news since the last call. */
  takeNews(): readonly News[] {
    return this.#news.splice(0);
  }

  /** The current state, without waiting. */
  look(): Sight | undefined {
    return this.#conversation === undefined ? undefined : this.#sight(this.#conversation);
  }

  /** The next sight; undefined when the client has left. */
  async next(): Promise<Sight | undefined> {
    this.#next ??= this.#updates.next();
    const result = await this.#updateOrEnd(this.#next);
    if (result === "awake") {
      this.#hasNews = false;
      return this.#run?.isOver === true ? await this.#lastSight() : this.look();
    }
    this.#next = undefined;
    if (result.done === true) return undefined;
    this.#conversation = applyUpdate(this.#conversation, result.value);
    return { ...this.#sight(this.#conversation), changes: changesOf(result.value) };
  }

  /** An update; or that the run is over, or that something without an update has arrived. */
  async #updateOrEnd(
    next: Promise<IteratorResult<ConversationUpdate, void>>,
  ): Promise<IteratorResult<ConversationUpdate, void> | "awake"> {
    return await new Promise((resolve, reject) => {
      next.then(resolve, reject);
      this.#wake = () => resolve("awake");
      if (this.#run?.isOver === true || this.#hasNews) this.#wake();
    });
  }

  /** What is stored when the run is over. If another process has taken the run over, it is followed like any other. */
  async #lastSight(): Promise<Sight> {
    this.#run = undefined;
    this.#conversation = await readConversation(this.#session);
    const sight = this.#sight(this.#conversation);
    return sight.message?.state === "streaming" ? sight : { ...sight, isOver: true };
  }

  #sight(conversation: Conversation): Sight {
    const shown = this.#shown(conversation);
    const message = this.#find(shown);
    const isGoing = message?.state === "streaming";
    this.#wasGoing ||= isGoing;
    this.#wasSeen ||= message !== undefined;
    // A message that has disappeared was taken back.
    const isExpected = this.#run !== undefined || (this.#isPatient && message?.state === "waiting");
    const isOver = message === undefined ? this.#wasSeen : !isGoing && (this.#wasGoing || !isExpected);
    return { conversation: shown, message, isOver };
  }

  /** With the client's id of the conversation: the store's also contains the owner. */
  #shown(conversation: Conversation): Conversation {
    return { ...this.#page.show(conversation), id: this.#id };
  }
}
