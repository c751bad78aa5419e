import type { Agent, Logger, SessionStore, WhileRunning } from "@pollux/core";
import type { ChatProtocol } from "../chat-protocol.ts";
import type { Authorize } from "./authorize.ts";
import type { SpendingLimit } from "./spending.ts";

/** What a chat page is served with. */
export interface ChatHandlerOptions<Context = unknown> {
  readonly agent: Agent<Context>;
  /** Where the conversations are. Each is stored under its owner and the id that the client gave it: `ann/chat-7`. */
  readonly store: SessionStore;
  /** Finds out who asks. */
  readonly authorize: Authorize<Context>;
  /** What the page speaks. */
  readonly protocol: ChatProtocol;
  /** The path that the handler is mounted at. @defaultValue "/api/chat" */
  readonly path?: string | undefined;
  /**
   * What a message does while a run of its conversation is going: it is refused with 409, steers the run, waits until the run is over,
   * or replaces it. @defaultValue "refuse"
   */
  readonly whileRunning?: WhileRunning | undefined;
  /**
   * What becomes of a run when the client that started it disconnects: it goes on, and the client can follow it again; or it is aborted,
   * and what it had said is kept. @defaultValue "continue"
   */
  readonly onDisconnect?: "continue" | "abort" | undefined;
  /** Whether a run whose process has died goes on when a client follows it. @defaultValue true */
  readonly resumeCutOff?: boolean | undefined;
  /** What all conversations of one owner may cost. Requires `prices` of the agent. @defaultValue no limit */
  readonly spending?: SpendingLimit | undefined;
  /** Whether clients may bring tools, which a run has in addition to the agent's and the client executes. @defaultValue false */
  readonly clientTools?: boolean | undefined;
  /** Origins besides the handler's own whose pages may use it, with cookies, such as `https://app.example.com`. @defaultValue none */
  readonly allowedOrigins?: readonly string[] | undefined;
  /** Most bytes of a body. @defaultValue 8 MiB */
  readonly maxBodyBytes?: number | undefined;
  /** Most bytes of all headers. @defaultValue 32 KiB */
  readonly maxHeaderBytes?: number | undefined;
  /** A comment is sent before a stream has been silent for so long, in milliseconds: hosts close idle connections. @defaultValue 8_000 */
  readonly keepAliveMs?: number | undefined;
  /** How long a request to stop waits for the end of the run, in milliseconds. @defaultValue 20_000 */
  readonly stopTimeoutMs?: number | undefined;
  /** How long a run keeps its conversation after its process has died, in milliseconds; see `SessionOptions`. @defaultValue 15_000 */
  readonly leaseMs?: number | undefined;
  /** Told why a request or a run failed; clients are only given a reference to that line. @defaultValue the console */
  readonly logger?: Pick<Logger, "error"> | undefined;
}

/** What the platform offers to a request. */
export interface Platform {
  /** Keeps a worker alive until a run is over. */
  readonly waitUntil?: ((work: Promise<unknown>) => void) | undefined;
}

/** @throws {TypeError} */
export function checkOptions<Context>(
  options: ChatHandlerOptions<Context>,
  path: string,
  allowedOrigins: readonly string[],
): void {
  if (typeof options.authorize !== "function")
    throw new TypeError("authorize is required: a function that returns { owner } for a request, or a Response");
  if (!path.startsWith("/")) throw new TypeError(`path must start with "/", got "${path}"`);
  if ("tools" in options)
    throw new TypeError("tools belong to the agent; for tools that clients bring, use clientTools: true");
  for (const origin of allowedOrigins)
    if (!URL.canParse(origin) || new URL(origin).origin !== origin)
      throw new TypeError(`allowedOrigins: "${origin}" is not an origin, such as "https://app.example.com"`);
  for (const name of ["maxBodyBytes", "maxHeaderBytes", "keepAliveMs", "stopTimeoutMs"] as const) {
    const value = options[name];
    if (value !== undefined && !(Number.isFinite(value) && value > 0))
      throw new TypeError(`${name} must be a number above 0, got ${value}`);
  }
}
