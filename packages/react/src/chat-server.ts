import { stopChat } from "@pollux/web";
import type { AnyChatMessage, Metadata } from "./chat-message.ts";

/** One line of the list of conversations. */
export interface ChatSummary {
  readonly id: string;
  readonly title?: string | undefined;
  readonly state: ChatState;
  /** How the last run ended. Absent while none has, and if the server does not report it. */
  readonly ending?: Metadata["stopReason"];
  /** `job` while it waits for jobs alone, and for no person. */
  readonly waitsFor?: "job" | undefined;
  /** Milliseconds since the epoch. */
  readonly updatedAt: number;
}

/** As the handler reports it: a run is going, waits for an answer, has stopped early or has lost its process; or nothing is left to do. */
export type ChatState = "idle" | "running" | "waiting" | "stopped" | "cut-off";

/** A conversation as the server has it. */
export interface StoredChat<M = AnyChatMessage> {
  readonly title?: string | undefined;
  readonly state: ChatState;
  readonly messages: M[];
}

/** How a page reaches the `chatHandler` of its server. */
export interface ChatServerOptions {
  /** The path or URL of the handler. @defaultValue "/api/chat" */
  readonly api?: string | undefined;
  /** What the page sends with each request, such as a token; a function is called each time. @defaultValue none */
  readonly headers?: Readonly<Record<string, string>> | (() => Readonly<Record<string, string>>) | undefined;
  /** @defaultValue "same-origin" */
  readonly credentials?: RequestCredentials | undefined;
}

/** What the server refused or could not do, with its message for a person. */
export class ChatServerError extends Error {
  override readonly name = "ChatServerError";
  readonly code = "chat_server";
  readonly status: number;
  /** The handler's own code, such as `draining`. */
  readonly serverCode: string | undefined;
  /** How long the server asks to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, status: number, serverCode?: string, retryAfterMs?: number) {
    super(message);
    this.status = status;
    this.serverCode = serverCode;
    this.retryAfterMs = retryAfterMs;
  }
}

/** True for a run that is running, or that continues when someone follows it. */
export function isGoing(state: ChatState): boolean {
  return state === "running" || state === "cut-off";
}

/** True when the server can't be reached, or restarts: send the request again. */
export function isUnreached(error: unknown): boolean {
  if (!(error instanceof ChatServerError)) return error instanceof TypeError;
  const { serverCode, status } = error;
  // The handler's refusals have a code: without one, the answer is a gateway's.
  return serverCode === "draining" || (serverCode === undefined && [502, 503, 504].includes(status));
}

/** Whatever was thrown, as an error. */
export function errorFrom(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** The requests of a page to the `chatHandler` of its server. */
export class ChatServer {
  readonly api: string;
  #sent: Pick<ChatServerOptions, "headers" | "credentials">;

  constructor(options: ChatServerOptions = {}) {
    this.api = (options.api ?? "/api/chat").replace(/\/$/, "");
    this.#sent = options;
  }

  /** Changes the headers and credentials of each request. */
  send(sent: Pick<ChatServerOptions, "headers" | "credentials">): void {
    this.#sent = sent;
  }

  /** As `fetch`, with the page's headers; an answer that is an error is thrown. For the transport of the AI SDK. */
  readonly fetch: typeof fetch = async (input, init) => {
    const { headers = {}, credentials } = this.#sent;
    const all = new Headers(init?.headers);
    for (const [name, value] of Object.entries(typeof headers === "function" ? headers() : headers))
      all.set(name, value);
    const response = await fetch(input, { ...init, headers: all, ...(credentials && { credentials }) });
    if (!response.ok) throw await errorOf(response);
    return response;
  };

  /** The newest conversations, at most 100. */
  async list(): Promise<readonly ChatSummary[]> {
    const { chats } = await this.#ask<{ readonly chats: readonly ChatSummary[] }>("GET", "?limit=100");
    return chats;
  }

  /** Undefined when there is none of that id. */
  async load(id: string): Promise<StoredChat | undefined> {
    try {
      return await this.#ask<StoredChat>("GET", `/${id}`);
    } catch (error) {
      if (error instanceof ChatServerError && error.status === 404) return undefined;
      throw error;
    }
  }

  async rename(id: string, title: string): Promise<void> {
    await this.#ask("PATCH", `/${id}`, { title });
  }

  async remove(id: string): Promise<void> {
    await this.#ask("DELETE", `/${id}`);
  }

  /** Ends the current run, in any process. */
  async stop(id: string): Promise<void> {
    await stopChat(id, { api: this.api, fetch: this.fetch });
  }

  /** Resumes a run that failed, was stopped or reached a limit. The stream of the conversation shows the result. */
  async continue(id: string): Promise<void> {
    await this.#ask("POST", `/${id}/continue`);
  }

  /**
   * Sends a message to the current run. The stream that shows the run continues, so this response's stream is not read.
   */
  async steer(id: string, message: object): Promise<void> {
    const response = await this.#request("POST", "", { id, message });
    await response.body?.cancel();
  }

  async #ask<Result>(method: string, path: string, body?: object): Promise<Result> {
    const response = await this.#request(method, path, body);
    const text = await response.text();
    // As the handler of the same release writes it.
    return (text === "" ? undefined : JSON.parse(text)) as Result;
  }

  async #request(method: string, path: string, body?: object): Promise<Response> {
    const json = body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    return await this.fetch(`${this.api}${path}`, { method, ...json });
  }
}

async function errorOf(response: Response): Promise<ChatServerError> {
  const { status, headers } = response;
  const text = await response.text().catch(() => "");
  return new ChatServerError(
    messageIn(text),
    status,
    headers.get("pollux-error") ?? undefined,
    waitIn(headers.get("retry-after") ?? ""),
  );
}

/** Seconds, or a date. */
function waitIn(retryAfter: string): number | undefined {
  const seconds = Number(retryAfter);
  const ms = Number.isNaN(seconds) ? Date.parse(retryAfter) - Date.now() : seconds * 1000;
  return ms > 0 ? ms : undefined;
}

/** To a message or a request for a stream, the handler answers with a sentence; otherwise with JSON. */
function messageIn(text: string): string {
  try {
    return (JSON.parse(text) as { readonly error?: { readonly message?: string } }).error?.message ?? FALLBACK;
  } catch {
    // A proxy between the page and the handler may answer with its own page.
    return /^\s*(?:<|$)/.test(text) ? FALLBACK : text.slice(0, 300);
  }
}

const FALLBACK = "Something went wrong. Try again.";
