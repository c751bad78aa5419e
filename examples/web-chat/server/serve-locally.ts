import { createServer } from "node:http";
import type { ChatHandler, Visitor } from "@pollux/web";
import { drainOnSignal, toNodeHandler } from "@pollux/web/node";

export interface LocalServerOptions {
  /** Answers what is below `/api/chat`. */
  readonly chats: ChatHandler;
  /** Answers everything else. */
  readonly files: (request: Request) => Promise<Response>;
  /** 0 takes any free port. */
  readonly port: number;
  /** Called once, when nothing is served any more. */
  readonly close: () => void | Promise<void>;
}

/** A server that runs. Close it with `await using`. */
export interface LocalServer extends AsyncDisposable {
  readonly url: string;
  /** Resolves when a signal has ended it: answers end in time, or continue after a restart of the server. */
  readonly untilStopped: () => Promise<void>;
}

/** Serves a chat and its page on this machine only. */
export async function serveLocally({ chats, files, port, close }: LocalServerOptions): Promise<LocalServer> {
  const server = createServer(
    toNodeHandler(async (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/api/chat" || pathname.startsWith("/api/chat/")) return await chats(request);
      return isLocal(request) ? await files(request) : refusal();
    }),
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  }).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    url: `http://localhost:${address.port}`,
    untilStopped: async () => {
      await drainOnSignal(server, chats);
      await close();
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await close();
    },
  };
}

/** The only user is the person at this machine. A real application checks its session cookie here. */
export function authorize(request: Request): Visitor | Response {
  return isLocal(request) ? { owner: "you" } : refusal();
}

/** False for a page of the internet whose name was pointed at this machine. */
function isLocal({ url }: Request): boolean {
  return ["localhost", "127.0.0.1", "[::1]"].includes(new URL(url).hostname);
}

function refusal(): Response {
  return new Response("Open this page at localhost.", { status: 403 });
}
