import type { SessionStore } from "@pollux/core";
import type { Conversation, Message, MessagePart, ToolCallPart } from "@pollux/core/conversation";
import { SessionConflictError } from "@pollux/core/errors";
import { type DataPart, isDataPart, type ShownData } from "../data-part.ts";
import { isRecord, type JsonRecord } from "../json.ts";

/** What an entry of ours says about a run. Anybody may add entries of types that core doesn't know; it skips them. */
export interface PageEntry {
  /** The page's metadata of the message that began or steered the run. */
  readonly metadata?: JsonRecord | undefined;
  /** What else the page sent along with it. */
  readonly body?: JsonRecord | undefined;
  readonly part?: DataPart | undefined;
  /** The turn in which the part came. @defaultValue the last that the log knows */
  readonly turn?: number | undefined;
}

/** News for current readers, not kept. */
export type News = DataPart | RunWait;

/** A request of a run waits for a busy service. */
export interface RunWait {
  readonly runId: string | undefined;
  /** On the monotonic clock, in milliseconds. */
  readonly until: number;
}

/** What is known of a run beside its messages. */
interface RunFacts extends Omit<PageEntry, "part" | "turn"> {
  /** Pages' errors for calls that they could not execute, by call. */
  readonly errors: Map<string, string>;
  /** Each with the turn in which it came. */
  readonly data: { readonly turn: number; readonly part: DataPart }[];
}

/** What the log of one session has for pages, from pages and from the application. */
export class SessionPage {
  readonly #runs: Map<string, RunFacts> = new Map();
  readonly #listeners: Set<(news?: News) => void> = new Set();
  /** What `show` made of messages and lists of them, until more is known: readers recognize an unchanged one by its object. */
  #shown: WeakMap<object, object> = new WeakMap();
  /** The last wait that was sent: a reader who connects during it gets it as well. */
  #wait: RunWait | undefined;
  #lastRun = "";
  #turn = 0;
  /** Of the log's entries. */
  version = 0;
  length = 0;

  /** Calls a listener with news, and without any when there is more to show, until a signal aborts. */
  listen(listener: (news?: News) => void, signal: AbortSignal): void {
    this.#listeners.add(listener);
    if (this.#wait !== undefined) listener(this.#wait);
    signal.addEventListener("abort", () => this.#listeners.delete(listener), { once: true });
  }

  tell(news?: News): void {
    if (news !== undefined && "until" in news) this.#wait = news;
    for (const listener of this.#listeners) listener(news);
  }

  /** Entries that were read or written. */
  see(from: number, entries: readonly unknown[]): void {
    // Of a longer log than this one: another conversation had the id before.
    if (from > this.length) return;
    const shown = this.#shown;
    for (const entry of entries.slice(Math.max(0, this.length - from))) if (isRecord(entry)) this.#add(entry);
    this.length = Math.max(this.length, from + entries.length);
    if (this.#shown !== shown) this.tell();
  }

  /** The body that a run was begun with. @param runId - Absent: the last one. */
  bodyOf(runId: string = this.#lastRun): JsonRecord | undefined {
    return this.#runs.get(runId)?.body;
  }

  /** A conversation with all this in it. Messages without any of it keep their objects. */
  show(conversation: Conversation): Conversation {
    if (this.#runs.size === 0) return conversation;
    const messages = conversation.messages.map((message) => {
      const facts = this.#runs.get(message.runId ?? "");
      return facts === undefined ? message : this.#once(message, () => withFacts(message, facts));
    });
    const queued = this.#once(conversation.queued, () =>
      conversation.queued.map((one) => withMetadata(one, this.#runs.get(one.id))),
    );
    return { ...conversation, messages, queued };
  }

  #once<Value extends object>(value: Value, make: () => Value): Value {
    // `make` returns the type of its value.
    const shown = (this.#shown.get(value) as Value | undefined) ?? make();
    this.#shown.set(value, shown);
    return shown;
  }

  #add({ type, v, runId, ...entry }: JsonRecord): void {
    if (typeof v === "number") this.version = v;
    if (typeof runId !== "string") return;
    const { place, value, part, turn = this.#turn } = entry as { readonly [name: string]: unknown } & PageEntry;
    if (type === "run") [this.#lastRun, this.#turn] = [runId, 0];
    else if (type === "step" && isRecord(place)) this.#turn = Number(place["turn"]);
    const isError =
      type === "answer" && entry["byPage"] === true && isRecord(value) && typeof value["error"] === "string";
    if (!isError && type !== "page") return;
    this.#shown = new WeakMap();
    const facts: RunFacts = { errors: new Map(), data: [], ...this.#runs.get(runId), ...(type === "page" && entry) };
    this.#runs.set(runId, facts);
    if (isError && isRecord(place)) facts.errors.set(String(place["callId"]), String(value["error"]));
    if (part === undefined) return;
    const at = facts.data.findIndex(
      ({ part: { type: of, id } }) => id !== undefined && of === part.type && id === part.id,
    );
    if (at === -1) facts.data.push({ turn, part });
    else facts.data[at] = { turn: facts.data[at]?.turn ?? 0, part };
  }
}

function withMetadata<One extends object>(one: One, { metadata }: Partial<RunFacts> = {}): One {
  return metadata === undefined ? one : { ...one, metadata };
}

function withFacts(message: Message, facts: RunFacts): Message {
  if (message.role === "user") return withMetadata(message, facts);
  const parts: (MessagePart | ShownData)[] = message.parts.map((part) =>
    part.type === "tool-call" ? withError(part, facts.errors.get(part.id)) : part,
  );
  for (const [index, { turn, part }] of facts.data.entries()) {
    const next = parts.findIndex((one) => one.type === "turn" && one.turn > turn);
    parts.splice(next === -1 ? parts.length : next, 0, { type: "data", id: `data:${index}`, part });
  }
  // A reader of parts knows this one, or skips unknown parts.
  return { ...message, parts: parts as readonly MessagePart[] };
}

/** Marks an answer as given by a page. Its `by` does not tell: an operator may have the same name as the owner. */
function markAnswer<Entry>(entry: Entry): Entry {
  return isRecord(entry) && entry["type"] === "answer" ? { ...entry, byPage: true } : entry;
}

/** The user's page may read its own errors. */
function withError(call: ToolCallPart, message: string | undefined): ToolCallPart {
  const { failure } = call;
  return message === undefined || failure?.kind !== "failed" ? call : { ...call, failure: { ...failure, message } };
}

/** Sees what sessions read and write, so that nothing is read twice. */
export class PageLog {
  readonly store: SessionStore;
  readonly #pages: Map<string, SessionPage> = new Map();
  /** What pages say about messages that have not been stored, by their ids. */
  readonly #unsaid: Map<string, PageEntry> = new Map();

  /** @param isOfPages - Whether answers written here come from pages: only pages' errors about a call are shown. */
  constructor(store: SessionStore, isOfPages: boolean) {
    const see = (id: string, from: number, entries: readonly unknown[]): void =>
      this.#pages.get(id)?.see(from, entries);
    const seen: Pick<SessionStore, "load" | "append"> = {
      load: async (id, from = 0) => {
        const entries = await store.load(id, from);
        see(id, from, entries);
        return entries;
      },
      append: async (id, length, given, options) => {
        const entries = isOfPages ? given.map(markAnswer) : given;
        await store.append(id, length, entries, options);
        see(id, length, entries);
        for (const entry of entries) await this.#addSaid(id, entry);
      },
    };
    this.store = new Proxy(store, {
      get(target, name) {
        if (name === "load" || name === "append") return seen[name];
        const value: unknown = Reflect.get(target, name);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
  }

  /** A session that is used from now on. */
  open(id: string): void {
    this.#pages.set(id, new SessionPage());
  }

  close(id: string): void {
    this.#pages.delete(id);
  }

  of(id: string): SessionPage {
    return this.#pages.get(id) ?? new SessionPage();
  }

  /**
   * An entry to log once a message steers a run, which may read it much later. @returns A function that cancels it:
   * true if it was not logged.
   */
  expect(messageId: string, entry: PageEntry): () => boolean {
    this.#unsaid.set(messageId, entry);
    return () => this.#unsaid.delete(messageId);
  }

  async #addSaid(session: string, given: unknown): Promise<void> {
    const { type, id } = given as { readonly type?: unknown; readonly id?: unknown };
    const entry = type === "steer" && typeof id === "string" ? this.#unsaid.get(id) : undefined;
    if (typeof id !== "string" || entry === undefined) return;
    // The code that expects it retries at the end.
    await this.add(session, id, entry).then(
      () => this.#unsaid.delete(id),
      () => {},
    );
  }

  /** Puts something into the log of a session, unless it was deleted; a transient part goes to current readers. */
  async add(id: string, runId: string, given: PageEntry): Promise<void> {
    // As it is stored.
    const entry = JSON.parse(JSON.stringify(given)) as PageEntry;
    const { part } = entry;
    if (Object.keys(entry).length === 0) return;
    if (part !== undefined && !isDataPart(part))
      throw new TypeError('a part needs a type such as "data-weather", and data');
    if (part?.transient === true) return this.of(id).tell(part);
    for (;;) {
      const page = this.of(id);
      const from = page.length;
      // If nobody uses the session anymore, its page has read nothing else.
      page.see(from, await this.store.load(id, from));
      const { length, version: v } = page;
      if (length === 0) return;
      try {
        return await this.store.append(id, length, [{ v, type: "page", at: Date.now(), runId, ...entry }] as never);
      } catch (error) {
        if (!(error instanceof SessionConflictError) || error.actualLength < length) throw error;
      }
    }
  }
}
