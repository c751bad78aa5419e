import type { ErasedData, EraseOptions } from "@pollux/core";
import { findVisitor } from "./authorize.ts";
import { findChat, listChats, readTitle } from "./chats.ts";
import type { Drained, DrainOptions } from "./draining.ts";
import { Edge } from "./edge.ts";
import { noSuchChat, replyEmpty, replyJson } from "./replies.ts";
import { type ChatHandlerOptions, checkOptions, type Platform } from "./options.ts";
import { RequestRate } from "./request-rate.ts";
import { checkChatId, type Route } from "./routes.ts";
import { continueChat, followChat } from "./follow-chat.ts";
import { sendToChat } from "./send.ts";
import { type ChatCall, Serving } from "./serving.ts";
import { deleteChat, eraseChats, sendMessages, renameChat, stopRun, withdrawCalls } from "./upkeep.ts";

/** Serves chats. */
export interface ChatHandler {
  /** Answers every request below its path. Never rejects. */
  (request: Request, platform?: Platform): Promise<Response>;
  /**
   * Leaves the work of this process to others, before it ends. From now on, messages and requests to follow one are answered with 503,
   * for the client to send again. Runs may end by themselves for a while; the others are released, so that any process on the same store
   * continues them at once, and open streams are broken off, so that pages reconnect to one. No finished step is repeated.
   *
   * Later calls return the result of the first.
   *
   * @returns Resolves when no run of this handler is going.
   * @throws {TypeError} For a limit that is not a number of milliseconds.
   */
  readonly drain: (options?: DrainOptions) => Promise<Drained>;
  /**
   * Removes everything that is kept about an owner: `eraseOwner` of `@pollux/core`, and the cost of deleted
   * conversations, as `deletedConversations`. Their runs are stopped first, in any process.
   *
   * @throws {TypeError} Without an owner. The signal's reason, and whatever a store or `also` throws.
   */
  readonly erase: (owner: string, options?: Omit<EraseOptions, "store">) => Promise<ErasedData>;
}

/**
 * Serves an agent to chat pages.
 *
 * | request                | does                                                                           |
 * | ---------------------- | ------------------------------------------------------------------------------ |
 * | `POST /`               | sends a message, or answers to calls; streams what the agent does              |
 * | `GET /`                | lists the conversations of the owner: `?limit=50&after=<next of the last page>` |
 * | `GET /:id`             | the messages of a conversation                                                 |
 * | `GET /:id/stream`      | streams the message that is being written; if none is, 204 or the protocol's own response |
 * |                        | with `?ended`, the last one anyway; with `?waiting`, also one that waits, until it has continued |
 * | `POST /:id/stop`       | stops the current run, in any process                               |
 * | `POST /:id/continue`   | resumes the last run where it stopped                                          |
 * | `POST /:id/withdraw`   | withdraws the questions; the run continues without answers                |
 * | `PATCH /:id`           | renames: `{ "title": "…" }`                                                    |
 * | `DELETE /:id`          | stops and deletes                                                              |
 *
 * @throws {TypeError} For an option that cannot work.
 * @example
 * ```ts
 * const handler = chatHandler({
 *   agent,
 *   store,
 *   protocol: aiSdk(),
 *   authorize: (request) => ({ owner: request.headers.get("x-user") ?? "guest" }),
 * });
 * export default { fetch: handler }; // Bun, Deno, Workers; on Node, createServer(toNodeHandler(handler))
 * ```
 */
export function chatHandler<Context = unknown, Body = unknown>(
  options: ChatHandlerOptions<Context, Body>,
): ChatHandler {
  const { path: mount = "/api/chat", authorize, protocol, requestsPerMinute = 600 } = options;
  checkOptions(options, mount);
  const base = mount.replace(/\/$/, "");
  const rate = new RequestRate(requestsPerMinute);
  const serving: Serving<Context> = new Serving(options, options);
  const hasTextErrors = ({ method, url }: Request): boolean => {
    const path = new URL(url).pathname.replace(/\/$/, "");
    return protocol.errors === "text" && (method === "POST" ? path === base : path.endsWith("/stream"));
  };
  const edge = new Edge(options, { base, routes: ROUTES, serving, hasTextErrors });
  const serve = async (request: Request, platform: Platform = {}): Promise<Response> =>
    await edge.serve(request, async (route, query) => {
      const visitor = await findVisitor(authorize, request);
      if (visitor instanceof Response) return visitor;
      rate.count(visitor.owner);
      return await act({ serving, edge }, route, { request, visitor, platform }, query);
    });
  return Object.assign(serve, {
    drain: async (limits: DrainOptions = {}) => {
      const drained = await serving.draining.drain(limits);
      await serving.readers.written();
      return drained;
    },
    erase: async (owner: string, given: Omit<EraseOptions, "store"> = {}) => await eraseChats(serving, owner, given),
  });
}

/** HEAD answers like GET, without a body, where a GET changes nothing. */
const ROUTES = {
  "": { GET: "list", HEAD: "list", POST: "send" },
  "/:id": { GET: "messages", HEAD: "messages", PATCH: "rename", DELETE: "delete" },
  "/:id/stream": { GET: "follow" },
  "/:id/stop": { POST: "stop" },
  "/:id/continue": { POST: "continue" },
  "/:id/withdraw": { POST: "withdraw" },
} as const;

type Action = {
  readonly [Path in keyof typeof ROUTES]: (typeof ROUTES)[Path][keyof (typeof ROUTES)[Path]];
}[keyof typeof ROUTES];

async function act<Context>(
  { serving, edge }: { readonly serving: Serving<Context>; readonly edge: Edge<Action> },
  { action, chat }: Route<Action>,
  call: ChatCall<Context>,
  query: URLSearchParams,
): Promise<Response> {
  const { store, protocol } = serving.options;
  const { request, visitor } = call;
  const { owner } = visitor;
  if (action === "list") return replyJson(await listChats(store, owner, query, serving.cutOffRuns));
  if (action === "send") {
    const chatRequest = protocol.read(await edge.json(request));
    checkChatId(chatRequest.id);
    await findChat(store, owner, chatRequest.id);
    return await sendToChat(serving, chatRequest, call);
  }
  const found = await findChat(store, owner, chat);
  // A page also follows a conversation that has not begun.
  if (action === "follow") return found === undefined ? replyEmpty() : await followChat(serving, chat, call, query);
  if (found === undefined) throw noSuchChat();
  switch (action) {
    case "messages":
      return await sendMessages(serving, chat, call);
    case "stop":
      return replyJson({ stopped: await stopRun(serving, chat, visitor, request.signal) });
    case "continue":
      return replyJson({ continued: await continueChat(serving, chat, call) });
    case "withdraw":
      return await withdrawCalls(serving, chat, call, await edge.optionalJson(request));
    case "rename":
      await renameChat(serving, chat, visitor, readTitle(await edge.json(request)));
      return replyEmpty();
    case "delete":
      await deleteChat(serving, chat, visitor);
      return replyEmpty();
  }
}
