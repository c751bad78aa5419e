import { randomUUID, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { type Endpoint, MemoryStore, type SessionStore } from "@pollux/core";
import { chatHandler, type Drained, type Operator, operatorHandler, type Visitor } from "@pollux/web";
import { aiSdk } from "@pollux/web/ai-sdk";
import { drainOnSignal, toNodeHandler } from "@pollux/web/node";
import { createSupportAgent } from "./agent.ts";

export interface SupportBotOptions {
  readonly endpoint: Endpoint;
  readonly model: string;
  /** 0 for a free one. */
  readonly port: number;
  /** Anyone who knows it is an operator. A real application checks the login. */
  readonly operatorKey: string;
  readonly store?: SessionStore | undefined;
}

export interface SupportBot extends AsyncDisposable {
  readonly url: string;
  /** Waits for SIGTERM or Ctrl-C, and leaves active runs to other processes. */
  readonly drainOnSignal: () => Promise<Drained>;
}

/** Serves the page of the customers at `/`, and the one of the support team at `/operator`. */
export async function startSupportBot(options: SupportBotOptions): Promise<SupportBot> {
  const { endpoint, model, port, operatorKey, store = new MemoryStore() } = options;
  const agent = createSupportAgent({ endpoint, model });
  const customers = chatHandler({ agent, store, authorize: findCustomer, protocol: aiSdk() });
  const operators = operatorHandler({ agent, store, authorize: (request) => findOperator(request, operatorKey) });
  const server = createServer(
    toNodeHandler(async (request) => {
      const { pathname, searchParams } = new URL(request.url);
      if (/^\/api\/chat(\/|$)/.test(pathname)) return await customers(request);
      if (/^\/api\/operator(\/|$)/.test(pathname)) return await operators(request);
      const key = searchParams.get("key");
      if (pathname === "/operator" && key !== null)
        return redirect("/operator", `operator=${encodeURIComponent(key)}; Path=/api/operator`);
      if (pathname === "/" && cookieOf(request, "customer") === undefined)
        return redirect("/", `customer=${randomUUID()}; Path=/`);
      return await servePage(pathname);
    }),
  );
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    url: `http://localhost:${address.port}`,
    drainOnSignal: () => drainOnSignal(server, [customers, operators]),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Every browser is a separate customer. A real application checks the login. */
function findCustomer(request: Request): Visitor | Response {
  const customer = cookieOf(request, "customer");
  return customer === undefined ? new Response("Open the page first.", { status: 401 }) : { owner: customer };
}

function findOperator(request: Request, operatorKey: string): Operator | Response {
  const [given, key] = [Buffer.from(cookieOf(request, "operator") ?? ""), Buffer.from(operatorKey)];
  const isOperator = given.length === key.length && timingSafeEqual(given, key);
  if (!isOperator) return new Response("Open the address that the program has printed.", { status: 401 });
  return { by: "operator", approvedBy: ["support"] };
}

function cookieOf({ headers }: Request, name: string): string | undefined {
  const cookies = (headers.get("cookie") ?? "").split("; ").map((cookie) => cookie.split("="));
  const value = cookies.find(([key]) => key === name)?.[1];
  return value === undefined || value === "" ? undefined : decodeURIComponent(value);
}

function redirect(location: string, cookie: string): Response {
  return new Response(undefined, {
    status: 303,
    headers: { location, "set-cookie": `${cookie}; HttpOnly; SameSite=Strict`, "cache-control": "no-store" },
  });
}

const PAGES: { readonly [path: string]: readonly [file: string, type: string] } = {
  "/": ["customer.html", "text/html"],
  "/operator": ["operator.html", "text/html"],
  "/common.js": ["common.js", "text/javascript"],
  "/customer.js": ["customer.js", "text/javascript"],
  "/operator.js": ["operator.js", "text/javascript"],
  "/style.css": ["style.css", "text/css"],
};

async function servePage(pathname: string): Promise<Response> {
  const [file, type] = (Object.hasOwn(PAGES, pathname) ? PAGES[pathname] : undefined) ?? [];
  if (file === undefined) return new Response("There is nothing here.", { status: 404 });
  return new Response(await readFile(new URL(`page/${file}`, import.meta.url), "utf8"), {
    headers: {
      "content-type": `${type}; charset=utf-8`,
      "cache-control": "no-cache",
      "content-security-policy": "default-src 'self'; frame-ancestors 'none'",
      "x-content-type-options": "nosniff",
    },
  });
}
