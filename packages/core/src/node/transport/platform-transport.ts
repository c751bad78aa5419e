import type { Channel } from "node:diagnostics_channel";
import type { Environment } from "../../internal/environment.ts";
import type { PlatformTransport, Transport } from "../../wire/http/transport.ts";

/**
 * Decides whether a request may go by `node:http` although nobody asked for it, which is where nobody could tell it from one of
 * Node's own `fetch`. Whatever is not known for sure counts against it.
 */
class NodePlatformTransport implements PlatformTransport {
  readonly name = "node:http";
  /** `node:http` and what is made of it: loaded with the first request. */
  #module: NodeModule | undefined;
  // One each for the whole process, as the connections of Node's `fetch` are.
  #direct: Transport | undefined;
  #proxied: Transport | undefined;
  /** What was looked at last, and found to be Node's own. */
  #ownFetch: unknown;
  readonly #ownDispatchers = new WeakSet<object>();
  /** Looked up with the first request: importing this library loads nothing of Node. */
  #channels: readonly Channel[] | undefined;

  whyFetch(): string | undefined {
    const { fetch } = globalThis;
    if (fetch !== this.#ownFetch) {
      if (!isNodesFetch(fetch)) return "globalThis.fetch is not Node's own";
      this.#ownFetch = fetch;
    }
    for (const key of DISPATCHERS) {
      const dispatcher: unknown = Reflect.get(globalThis, key);
      if (dispatcher === undefined) continue;
      if (!isObject(dispatcher)) return "a global dispatcher of undici is set";
      if (this.#ownDispatchers.has(dispatcher)) continue;
      if (!isNodesDispatcher(dispatcher)) return "a global dispatcher of undici is set that is not Node's default";
      this.#ownDispatchers.add(dispatcher);
    }
    this.#channels ??= openChannels();
    for (const one of this.#channels)
      if (one.hasSubscribers) return `somebody listens on the diagnostics channel ${String(one.name)}`;
    return this.#module?.isHttpPatched() === true ? "node:http is patched" : undefined;
  }

  open(usesProxy: boolean): Transport | Promise<Transport> {
    return this.#module === undefined ? this.#load(usesProxy) : this.#open(this.#module, usesProxy);
  }

  async #load(usesProxy: boolean): Promise<Transport> {
    // By a literal, so that bundlers find it.
    const { isHttpPatched, nodeTransport } = await import("./node-transport.ts");
    this.#module ??= { isHttpPatched, nodeTransport };
    return this.#open(this.#module, usesProxy);
  }

  #open({ nodeTransport }: NodeModule, usesProxy: boolean): Transport {
    if (usesProxy) return (this.#proxied ??= nodeTransport());
    return (this.#direct ??= nodeTransport({ proxyEnv: {} }));
  }
}

/** What is needed of `node-transport.ts`. */
interface NodeModule {
  readonly nodeTransport: (options?: { readonly proxyEnv: Environment }) => Transport;
  readonly isHttpPatched: () => boolean;
}

/** Where undici keeps the dispatcher that `fetch` uses; `.2` since undici 8. Node's own fetch sets them, too. */
const DISPATCHERS = [Symbol.for("undici.globalDispatcher.1"), Symbol.for("undici.globalDispatcher.2")] as const;

/**
 * Where Node's `fetch` reports its requests: tracing (OpenTelemetry, Sentry, Datadog) and Node's own inspector listen there.
 *
 * @see https://undici.nodejs.org/#/docs/api/DiagnosticsChannel
 */
const CHANNEL_NAMES = [
  "undici:request:create",
  "undici:request:bodySent",
  "undici:request:bodyChunkSent",
  "undici:request:bodyChunkReceived",
  "undici:request:headers",
  "undici:request:trailers",
  "undici:request:error",
  "undici:request:pending-requests",
  "undici:client:sendHeaders",
  "undici:client:beforeConnect",
  "undici:client:connected",
  "undici:client:connectError",
] as const;

function openChannels(): readonly Channel[] {
  const { channel } = process.getBuiltinModule("node:diagnostics_channel");
  return CHANNEL_NAMES.map((name) => channel(name));
}

/** The text of a function cannot be made up: a proxy, a bound function and another runtime's own say `[native code]`. */
function isNodesFetch(fetch: unknown): boolean {
  return typeof fetch === "function" && textOf(fetch).includes("require('internal/deps/undici/undici')");
}

/**
 * True for the dispatcher that Node's own `fetch` makes for itself, without options. A package's copy of undici has classes
 * of its own, and so have mocks, proxies by environment and other agents of Node's.
 */
function isNodesDispatcher(dispatcher: object): boolean {
  const { constructor } = dispatcher;
  if (typeof constructor !== "function") return false;
  const text = textOf(constructor);
  const isAgent = text.includes("factory must be a function.");
  // What undici 8 leaves for older copies of itself.
  const isWrapper = text.includes("Argument dispatcher must implement dispatch");
  if (!isAgent && !isWrapper) return false;
  // Composed with interceptors.
  if (Reflect.get(dispatcher, "dispatch") !== Reflect.get(Object.getPrototypeOf(dispatcher), "dispatch")) return false;
  if (isAgent && !hasDefaults(dispatcher)) return false;
  try {
    // As its text says, it refuses this before it does anything; where it stands is in the stack.
    Reflect.construct(constructor, [{ factory: 1 }]);
    return false;
  } catch (error) {
    return error instanceof Error && error.stack?.includes("node:internal/deps/undici/undici") === true;
  }
}

/** No limits, certificates or connections of somebody's own. */
function hasDefaults(agent: object): boolean {
  const values = new Map(
    Object.getOwnPropertySymbols(agent).map((key) => [key.description, Reflect.get(agent, key) as unknown]),
  );
  const [options, factory] = [values.get("options"), values.get("factory")];
  if (!isObject(options) || typeof factory !== "function" || factory.name !== "defaultFactory") return false;
  return Object.values(options).every((value) => value === undefined || value === Infinity);
}

function textOf(value: unknown): string {
  return typeof value === "function" ? Function.prototype.toString.call(value) : "";
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** Marked as pure, so that a bundle that uses nothing of it has nothing of it. */
export const platformTransport: PlatformTransport | undefined = /* @__PURE__ */ new NodePlatformTransport();
