import type { Agent, SendOptions, SessionOptions, SessionStore, WhileRunning } from "@pollux/core";
import type { ChatProtocol } from "../chat-protocol.ts";
import type { AuthorizeAnswer } from "./answer-rights.ts";
import type { Authorize } from "./authorize.ts";
import { checkEdge, checkPositive, type EdgeOptions } from "./edge.ts";
import type { PerRun } from "./per-run.ts";
import type { SpendingLimit } from "./spending.ts";

/** Options of all handlers that run an agent. */
export interface ServingOptions<Context = unknown, Body = unknown> extends EdgeOptions {
  /** The agent that begins a conversation, and can hand over to others. */
  readonly agent: Agent<Context>;
  /**
   * Agents that may lead a conversation without a handoff, such as agents that `session.as()` has put in charge.
   * @defaultValue none
   */
  readonly agents?: readonly Agent<Context>[] | undefined;
  /** Where the conversations are stored: each under its owner and the id that the client gave it, as `ann/chat-7`. */
  readonly store: SessionStore;
  /**
   * What all runs of one conversation together may use: money, turns, calls, tokens. A run that reaches one of them ends, and the next
   * message is refused with 429; the code of the refusal names the limit, as `session_limit_cost`. `cost` requires `prices` of the agent.
   * @defaultValue no limit
   */
  readonly limits?: SessionOptions["limits"];
  /** What all conversations of one owner may cost. Requires `prices` of the agent. @defaultValue no limit */
  readonly spending?: SpendingLimit | undefined;
  /** Options of single runs, by what the page sends along, such as the model that the user has picked. @defaultValue all runs are alike */
  readonly perRun?: PerRun<Context, Body> | undefined;
  /** How long a run keeps its conversation after its process has died, in milliseconds; see `SessionOptions`. @defaultValue 15_000 */
  readonly leaseMs?: number | undefined;
}

/** Options of `chatHandler`. */
export interface ChatHandlerOptions<Context = unknown, Body = unknown> extends ServingOptions<Context, Body> {
  /** Finds out who asks. */
  readonly authorize: Authorize<Context>;
  /**
   * Decides which answers a page may give to calls that wait. @defaultValue it may deny and withdraw; approve, or give the result, where the
   * tool has `approvedBy: "user"`; and change the arguments that such a tool lists as `editable`
   */
  readonly authorizeAnswer?: AuthorizeAnswer<Context> | undefined;
  /** The protocol of the page. */
  readonly protocol: ChatProtocol;
  /** The path that the handler is mounted at. @defaultValue "/api/chat" */
  readonly path?: string | undefined;
  /**
   * What a message does during a run of its conversation: it is refused with 409, steers the run, waits until the run
   * is over, or replaces it. @defaultValue "refuse"; but it replaces the run if it follows that run's answer and no
   * one reads the answer anymore: the page has stopped reading it to send something else
   */
  readonly whileRunning?: WhileRunning | undefined;
  /**
   * What a message does while a call waits for an answer: it is kept, and read when the answer has come; it is refused with 409; or the
   * call is given up. @defaultValue "steer" while somebody other than the user is asked, or else "close"
   */
  readonly unfinished?: SendOptions["unfinished"];
  /**
   * What happens to a run when the client that started it disconnects: it continues, and the client can follow it
   * again; or it is aborted, and its text so far is kept; or it is aborted when no one has read its answer for that
   * many milliseconds, from any process on the store (up to a tenth later). @defaultValue "continue"
   */
  readonly onDisconnect?: "continue" | "abort" | { readonly abortAfterMs: number } | undefined;
  /** Whether a run whose process has died resumes when a client follows it. @defaultValue true */
  readonly resumeCutOff?: boolean | undefined;
  /**
   * Most requests of one owner in a minute, to this process; more are refused with 429. `Infinity` for any number. @defaultValue 600
   */
  readonly requestsPerMinute?: number | undefined;
  /** Whether clients may bring tools, which a run has in addition to the agent's and the client executes. @defaultValue false */
  readonly clientTools?: boolean | undefined;
  /** A comment is sent before a stream has been silent for this long, in milliseconds: hosts close idle connections. @defaultValue 8_000 */
  readonly keepAliveMs?: number | undefined;
  /**
   * Most answers that one owner's pages read at once from this process; more are refused with 429. `Infinity` for any number.
   * @defaultValue 100
   */
  readonly maxStreams?: number | undefined;
  /**
   * How long a page may read nothing while there is something to read before its connection ends, in milliseconds.
   * @defaultValue 60_000
   */
  readonly stallTimeoutMs?: number | undefined;
  /** How long a request to stop waits for the end of the run, in milliseconds. @defaultValue 20_000 */
  readonly stopTimeoutMs?: number | undefined;
}

/** What the platform offers to a request. */
export interface Platform {
  /** Keeps a worker alive until a run is over. */
  readonly waitUntil?: ((work: Promise<unknown>) => void) | undefined;
}

/** @throws {TypeError} */
export function checkOptions<Context>(options: ChatHandlerOptions<Context>, path: string): void {
  if (typeof options.authorize !== "function")
    throw new TypeError("authorize is required: a function that returns { owner } for a request, or a Response");
  checkEdge({ ...options, path });
  if ("tools" in options)
    throw new TypeError("tools belong to the agent; for tools that clients bring, use clientTools: true");
  const { authorizeAnswer, unfinished, requestsPerMinute = 1, maxStreams = 1 } = options;
  if (authorizeAnswer !== undefined && typeof authorizeAnswer !== "function")
    throw new TypeError("authorizeAnswer must be a function that returns true, false, undefined or a Response");
  if (unfinished !== undefined && !["steer", "refuse", "close"].includes(unfinished))
    throw new TypeError(`unfinished must be "steer", "refuse" or "close", got ${JSON.stringify(unfinished)}`);
  if (!(requestsPerMinute > 0))
    throw new TypeError(`requestsPerMinute must be a number above 0, got ${requestsPerMinute}`);
  if (!(maxStreams >= 1)) throw new TypeError(`maxStreams must be a number from 1, got ${maxStreams}`);
  const { onDisconnect = "continue" } = options;
  if (typeof onDisconnect === "object") checkPositive(onDisconnect, ["abortAfterMs"]);
  else if (!["continue", "abort"].includes(onDisconnect))
    throw new TypeError(
      `onDisconnect must be "continue", "abort" or { abortAfterMs }, got ${JSON.stringify(onDisconnect)}`,
    );
  checkPositive(options, ["keepAliveMs", "stallTimeoutMs", "stopTimeoutMs"]);
}
