import http from "node:http";
import https from "node:https";
import { Socket } from "node:net";
import { type SecureContextOptions, TLSSocket } from "node:tls";
import { ConfigurationError } from "../../errors/agent-error.ts";
import { startTimer } from "../../internal/abort.ts";
import type { Environment } from "../../internal/environment.ts";

/** Options of `nodeTransport`. */
export interface NodeTransportOptions {
  /** Maximum connections to one host at a time; further requests wait. @defaultValue `Infinity` */
  readonly maxSockets?: number | undefined;
  /** How long a new connection may take, in milliseconds. @defaultValue 10_000 */
  readonly connectMs?: number | undefined;
  /** How long an unused connection is kept, in milliseconds; it does not keep the process alive. @defaultValue 60_000 */
  readonly idleSocketMs?: number | undefined;
  /**
   * Where `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` (in either case) are read; `{}` means no proxy.
   *
   * @defaultValue the process's environment
   */
  readonly proxyEnv?: Environment | undefined;
  /** Certificates: the ones to trust instead of the default ones (`ca`), and the client's own. */
  readonly tls?: Pick<SecureContextOptions, "ca" | "cert" | "key" | "passphrase"> | undefined;
}

/** The agents of one transport, by protocol. */
export interface NodeAgents {
  readonly "http:": http.Agent;
  readonly "https:": https.Agent;
  /** How often they were closed deliberately. */
  closed: number;
}

/**
 * Agents that keep connections alive and use the environment's proxy.
 *
 * @throws {ConfigurationError} When the environment sets a proxy that this version of Node cannot use.
 * @throws {TypeError} For a limit that is not a positive number.
 */
export function nodeAgents(options: NodeTransportOptions): NodeAgents {
  const { maxSockets = Infinity, connectMs = 10_000, idleSocketMs = 60_000, proxyEnv = process.env, tls } = options;
  for (const [name, limit] of Object.entries({ maxSockets, connectMs, idleSocketMs }))
    if (!(limit > 0)) throw new TypeError(`${name} must be a positive number`);
  const proxy = proxyOf(proxyEnv);
  // Node's `timeout` closes only unused connections; the limits of a request are up to its sender.
  const common = {
    keepAlive: true,
    maxSockets,
    // Node's default of 256 would close the connections of larger bursts, only to open them again.
    maxFreeSockets: Infinity,
    timeout: idleSocketMs,
    ...(proxy && { proxyEnv: proxy }),
  };
  return {
    "http:": connectsWithin(connectMs, new http.Agent(common)),
    "https:": connectsWithin(connectMs, new https.Agent({ ...common, ...tls })),
    closed: 0,
  };
}

const PROXY_VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"] as const;

/** Undefined without a proxy. */
function proxyOf(env: Environment): Record<string, string> | undefined {
  const found: Record<string, string> = {};
  for (const name of PROXY_VARIABLES) {
    const value = env[name.toLowerCase()] || env[name];
    if (value) found[name] = value;
  }
  const named = Object.keys(found).filter((name) => name !== "NO_PROXY");
  if (named.length === 0) return undefined;
  if (knowsProxies(process.versions.node)) {
    // Node ignores a proxy whose address it does not understand. The message omits the address, which may hold a password.
    for (const name of named)
      if (!/^https?:\/\/\S+$/i.test(found[name] ?? "") || !URL.canParse(found[name] ?? ""))
        throw new ConfigurationError(
          `${name} must be an http:// or https:// URL: correct it, or pass proxyEnv: {} to nodeTransport to use no proxy.`,
        );
    return found;
  }
  throw new ConfigurationError(
    `${named.join(" and ")} names a proxy, which node:http supports since Node 22.21 and 24.5 (this is ${process.versions.node}): ` +
      "pass proxyEnv: {} to nodeTransport to use no proxy, or remove nodeTransport and use a fetch that supports proxies.",
  );
}

/** Whether `http.Agent` has `proxyEnv`. */
export function knowsProxies(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 24 || (major === 24 && minor >= 5) || (major === 22 && minor >= 21);
}

function connectsWithin<A extends http.Agent>(limitMs: number, agent: A): A {
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => {
    // Only a tunnel calls back; the request then gets another socket.
    let tunneled = (): void => {};
    const socket = connect(options, (error, made) => {
      tunneled();
      callback?.(error, made);
    });
    if (!(socket instanceof Socket)) return socket;
    if (agent instanceof https.Agent && !(socket instanceof TLSSocket)) {
      tunneled = startTimer(limitMs, () => {
        callback?.(notConnected(limitMs), socket);
        socket.destroy();
      });
    } else {
      const done = startTimer(limitMs, () => socket.destroy(notConnected(limitMs)));
      socket.once(socket instanceof TLSSocket ? "secureConnect" : "connect", done).once("close", done);
    }
    return socket;
  };
  return agent;
}

function notConnected(limitMs: number): Error {
  return Object.assign(new Error(`not connected within ${limitMs} ms`), { code: "ETIMEDOUT" });
}
