import http from "node:http";
import https from "node:https";
import { Socket } from "node:net";
import type { Environment } from "../../internal/environment.ts";
import type { Send } from "../../wire/http/transport.ts";
import { nodeAgents } from "./node-agents.ts";
import { NodeRequest } from "./node-request.ts";

/** Sends through `node:http`. Apart from `nodeTransport`, so that what never calls it like `fetch` does not bundle that. */
export function nodeSender(proxyEnv?: Environment): Send {
  const agents = nodeAgents({ proxyEnv });
  return (request) => new NodeRequest(request, agents);
}

/**
 * Whether a mock or a tracer intercepts requests of `node:http`, which it would not see from `fetch`.
 *
 * @param known - Functions found to be Node's own before, which are not checked again.
 */
export function isHttpPatched(known: WeakSet<object>): boolean {
  return !(
    isNodesOwn(http.request, "new ClientRequest(url, options, cb)", known) &&
    isNodesOwn(https.request, "ReflectConstruct(ClientRequest, args)", known) &&
    isNodesOwn(Reflect.get(Socket.prototype, "connect"), "normalizedArgsSymbol", known)
  );
}

function isNodesOwn(value: unknown, text: string, known: WeakSet<object>): boolean {
  if (typeof value !== "function") return false;
  // The source of a function cannot be faked: that of a proxy or a bound function is `[native code]`.
  if (!known.has(value) && Function.prototype.toString.call(value).includes(text)) known.add(value);
  return known.has(value);
}
