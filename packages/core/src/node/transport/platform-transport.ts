import type { Channel } from "node:diagnostics_channel";
import { isObject } from "../../internal/json.ts";
import { wordsIn } from "../../internal/text.ts";
import type { PlatformTransport, Send } from "../../wire/http/transport.ts";
import type * as NodeRequestModule from "./node-request.ts";

/** Decides whether a request may use `node:http` by default: only where nothing can distinguish it from a request of Node's own `fetch`. */
class NodePlatformTransport implements PlatformTransport {
  readonly name = "node:http";
  /** Loaded with the first request, and `node:http` with it. */
  #module: typeof NodeRequestModule | undefined;
  // One of each per process, as with the connections of Node's `fetch`.
  #direct: Send | undefined;
  #proxied: Send | undefined;
  /** Functions and dispatchers that were found to be Node's own. */
  readonly #known = new WeakSet<object>();
  /** Looked up with the first request: importing this library loads no module of Node. */
  #channels: readonly Channel[] | undefined;

  whyFetch(): string | undefined {
    if (!this.#passes(globalThis.fetch, isNodesFetch)) return "globalThis.fetch is not Node's own";
    for (const key of DISPATCHERS) {
      const dispatcher: unknown = Reflect.get(globalThis, key);
      if (dispatcher === undefined) continue;
      if (!isObject(dispatcher)) return "a global dispatcher of undici is set";
      if (!this.#passes(dispatcher, isNodesDispatcher))
        return "a global dispatcher of undici is set that is not Node's default";
    }
    this.#channels ??= Array.from(CHANNELS, (name) =>
      process.getBuiltinModule("node:diagnostics_channel").channel(name),
    );
    for (const one of this.#channels)
      if (one.hasSubscribers) return `the diagnostics channel ${String(one.name)} has subscribers`;
    for (const [value, text] of this.#module?.httpFunctions() ?? [])
      if (!this.#passes(value, () => textOf(value).includes(text))) return "node:http is patched";
    return undefined;
  }

  /** Checked once for each that passes. */
  #passes(value: object, isNodes: (value: object) => boolean): boolean {
    if (!this.#known.has(value) && isNodes(value)) this.#known.add(value);
    return this.#known.has(value);
  }

  open(usesProxy: boolean): Send | Promise<Send> {
    if (this.#module !== undefined) return this.#open(this.#module, usesProxy);
    // A literal, so that bundlers find it.
    return import("./node-request.ts").then((module) => this.#open((this.#module = module), usesProxy));
  }

  #open({ nodeSender }: typeof NodeRequestModule, usesProxy: boolean): Send {
    if (usesProxy) return (this.#proxied ??= nodeSender());
    return (this.#direct ??= nodeSender({}));
  }
}

/** Where undici keeps the dispatcher of `fetch`; `.2` since undici 8. Node's own fetch sets them too. */
const DISPATCHERS = [Symbol.for("undici.globalDispatcher.1"), Symbol.for("undici.globalDispatcher.2")] as const;

/**
 * Where Node's `fetch` reports its requests: tracing (OpenTelemetry, Sentry, Datadog) and Node's own inspector subscribe to them.
 *
 * @see https://undici.nodejs.org/#/docs/api/DiagnosticsChannel
 */
const CHANNELS = wordsIn(
  "undici:request:create undici:request:bodySent undici:request:bodyChunkSent undici:request:bodyChunkReceived",
  "undici:request:headers undici:request:trailers undici:request:error undici:request:pending-requests",
  "undici:client:sendHeaders undici:client:beforeConnect undici:client:connected undici:client:connectError",
);

/** The source of a function cannot be faked: that of a proxy, a bound function and another runtime's own is `[native code]`. */
function isNodesFetch(fetch: unknown): boolean {
  return textOf(fetch).includes("require('internal/deps/undici/undici')");
}

/**
 * True for the default dispatcher of Node's own `fetch`, without options. A package's copy of undici has different classes, and
 * so have mocks, environment proxies and Node's other agents.
 */
function isNodesDispatcher(dispatcher: object): boolean {
  const { constructor } = dispatcher;
  const text = textOf(constructor);
  const isAgent = text.includes("factory must be a function.");
  // What undici 8 registers for older copies of itself.
  const isWrapper = text.includes("Argument dispatcher must implement dispatch");
  if (!isAgent && !isWrapper) return false;
  // Composed with interceptors.
  if (Reflect.get(dispatcher, "dispatch") !== Reflect.get(Object.getPrototypeOf(dispatcher), "dispatch")) return false;
  if (isAgent && !hasDefaults(dispatcher)) return false;
  try {
    // According to its source it throws before it does anything; the stack shows which file it is in.
    Reflect.construct(constructor, [{ factory: 1 }]);
    return false;
  } catch (error) {
    return error instanceof Error && error.stack?.includes("node:internal/deps/undici/undici") === true;
  }
}

/** No custom limits, certificates or connections. */
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

/** Marked as pure, so that a bundle that does not use it does not contain it. */
export const platformTransport: PlatformTransport | undefined = /* @__PURE__ */ new NodePlatformTransport();
