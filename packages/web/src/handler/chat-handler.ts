import type { Logger } from "@pollux/core";
import { BadRequestError } from "../chat-protocol.ts";
import { findVisitor } from "./authorize.ts";
import { checkHeaders, readJson } from "./body.ts";
import { findChat, listChats, readTitle } from "./chats.ts";
import { continueChat } from "./continue-chat.ts";
import { checkSite, corsHeaders, preflightHeaders } from "./cross-site.ts";
import { HttpError, noSuchChat, replyEmpty, replyError, replyJson } from "./http-error.ts";
import { type ChatHandlerOptions, checkOptions, type Platform } from "./options.ts";
import { checkChatId, findRoute, type Route } from "./routes.ts";
import { followChat, sendToChat } from "./send.ts";
import { type ChatCall, Serving } from "./serving.ts";
import { refusalOf } from "./start-run.ts";
import { deleteChat, readChat, renameChat, stopChat } from "./upkeep.ts";

/** Answers every request below its path. Never rejects. */
export type ChatHandler = (request: Request, platform?: Platform) => Promise<Response>;

/**
 * Serves an agent to chat pages.
 *
 * | request                | does                                                                           |
 * | ---------------------- | ------------------------------------------------------------------------------ |
 * | `POST /`               | sends a message, or answers to calls; streams what the agent does              |
 * | `GET /`                | lists the conversations of the owner: `?limit=50&after=<next of the last page>` |
 * | `GET /:id`             | the messages of a conversation                                                 |
 * | `GET /:id/stream`      | streams the message that is being written; 204 when none is, or the protocol's own; with `?ended`, the last one anyway |
 * | `POST /:id/stop`       | stops the run that is going, in whatever process                               |
 * | `POST /:id/continue`   | resumes the last run where it stopped                                          |
 * | `PATCH /:id`           | renames: `{ "title": "…" }`                                                    |
 * | `DELETE /:id`          | stops and deletes                                                              |
 *
 * @throws {TypeError} For an option that cannot work.
 */
export function chatHandler<Context = unknown>(options: ChatHandlerOptions<Context>): ChatHandler {
  const handler = new Handler(options);
  return (request, platform = {}) => handler.handle(request, platform);
}

/** Prints to the console: whoever has no logger must not lose the reference that a client was given. */
const CONSOLE: Pick<Logger, "error"> = {
  // oxlint-disable-next-line no-console -- the default of an option
  error: (facts, message) => console.error(message, facts),
};

class Handler<Context> {
  readonly #serving: Serving<Context>;
  readonly #path: string;
  readonly #origins: ReadonlySet<string>;

  constructor(options: ChatHandlerOptions<Context>) {
    const { path = "/api/chat", allowedOrigins = [], logger = CONSOLE } = options;
    checkOptions(options, path, allowedOrigins);
    this.#path = path.replace(/\/$/, "");
    this.#origins = new Set(allowedOrigins);
    this.#serving = new Serving(options, (err, reference, facts) =>
      logger.error({ err, reference, ...facts }, "a chat request failed"),
    );
  }

  async handle(request: Request, platform: Platform): Promise<Response> {
    const response = await this.#respond(request, platform);
    const cors = corsHeaders(request, this.#origins);
    if (cors === undefined) return response;
    // Those of a response by somebody else may be immutable.
    const headers = new Headers(response.headers);
    for (const [name, value] of Object.entries(cors)) headers.append(name, value);
    return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
  }

  async #respond(request: Request, platform: Platform): Promise<Response> {
    const { options } = this.#serving;
    try {
      checkHeaders(request, options.maxHeaderBytes ?? 32 * 1024);
      const url = new URL(request.url);
      const route = findRoute(request.method, url.pathname, this.#path);
      if ("allow" in route)
        return replyEmpty({ allow: route.allow, ...preflightHeaders(request, this.#origins, route.allow) });
      checkSite(request, this.#origins);
      const visitor = await findVisitor(options.authorize, request);
      if (visitor instanceof Response) return visitor;
      const response = await this.#act(route, { request, visitor, platform }, url.searchParams);
      if (request.method !== "HEAD") return response;
      return new Response(undefined, { status: response.status, headers: response.headers });
    } catch (error) {
      return this.#replyTo(error, request);
    }
  }

  async #act(route: Route, call: ChatCall<Context>, query: URLSearchParams): Promise<Response> {
    const serving = this.#serving;
    const { store, protocol } = serving.options;
    const { request, visitor } = call;
    const { owner } = visitor;
    if (route.action === "list") return replyJson(await listChats(store, owner, query, serving.cutOffRuns));
    if (route.action === "send") {
      const asked = protocol.read(await this.#json(request));
      checkChatId(asked.id);
      await findChat(store, owner, asked.id);
      return await sendToChat(serving, asked, call);
    }
    const { action, chat } = route;
    const found = await findChat(store, owner, chat);
    // A page also asks for a conversation that it has not begun.
    if (action === "follow")
      return found === undefined ? replyEmpty() : await followChat(serving, chat, call, query.has("ended"));
    if (found === undefined) throw noSuchChat();
    switch (action) {
      case "messages":
        return replyJson(await readChat(serving, chat, visitor));
      case "stop":
        return replyJson({ stopped: await stopChat(serving, chat, visitor, request.signal) });
      case "continue":
        return replyJson({ continued: await continueChat(serving, chat, call) });
      case "rename":
        await renameChat(serving, chat, visitor, readTitle(await this.#json(request)));
        return replyEmpty();
      case "delete":
        await deleteChat(serving, chat, visitor);
        return replyEmpty();
    }
  }

  async #json(request: Request): Promise<unknown> {
    return await readJson(request, this.#serving.options.maxBodyBytes ?? 8 * 1024 * 1024);
  }

  /** A client is told what it can do about an error, or a reference to the line in the log. */
  #replyTo(error: unknown, { method, signal }: Request): Response {
    // The client has left: nobody reads the answer.
    if (signal.aborted && error === signal.reason) return replyEmpty();
    if (error instanceof HttpError) return replyError(error);
    if (error instanceof BadRequestError) return replyError(new HttpError(400, "bad_request", error.message));
    const refusal = refusalOf(error);
    if (refusal !== undefined) return replyError(refusal);
    const reference = this.#serving.log(error, { method });
    return replyError(new HttpError(500, "internal", "Something went wrong."), reference);
  }
}
