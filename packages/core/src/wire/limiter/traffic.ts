import { fingerprint } from "../../internal/json.ts";
import { withDefaults } from "../../internal/option-names.ts";
import type { Endpoint, HeaderFields } from "../endpoints/endpoint.ts";
import {
  EndpointLimiter,
  type EndpointLimits,
  type Permit,
  type PermitRequest,
  type TrafficOptions,
} from "./endpoint-limiter.ts";

/** State of one endpoint and key. */
export interface TrafficState {
  readonly baseUrl: string;
  /** Requests in flight. */
  readonly active: number;
  /** Requests that wait for a slot or for the service. */
  readonly queued: number;
  /** What is held back: a model (or for other operations the operation and its model), and for how many more milliseconds. */
  readonly heldBack: readonly { readonly name: string; readonly forMs: number }[];
}

/** More limiters than this are kept only while they are not idle. */
const MAX_LIMITERS = 1000;

/**
 * Limits on requests that clients, models and agents share: how many are in flight, which are queued, and how long the service asked
 * to wait. Pass the same object to all of them.
 *
 * Requests are counted per endpoint and key; a wait that the service asked for applies per model as well. Runs take turns in the
 * queue, however many requests each of them has. Of a key only a salted fingerprint is kept, which is never shown.
 *
 * @example
 * ```ts
 * const traffic = new Traffic({ maxConcurrent: 8 });
 * const agent = new Agent({ model: gemini("gemini-flash-latest", { traffic }) });
 * ```
 */
export class Traffic {
  readonly #limits: EndpointLimits;
  readonly #limiters = new Map<string, EndpointLimiter>();
  /** The last limiter of each endpoint object, so that not every request takes a fingerprint. */
  readonly #ids = new WeakMap<Endpoint, { readonly signature: string; readonly id: string }>();
  readonly #closedMs = new WeakMap<object, number>();
  readonly #salt = Math.random();

  /** @throws {TypeError} For a limit that is not a positive number. */
  constructor(options: TrafficOptions = {}) {
    const { random = Math.random, ...limits } = options;
    const merged = withDefaults(
      { maxConcurrent: Infinity, maxQueued: 100_000, maxQueueMs: 3_600_000 },
      limits,
      "traffic",
    );
    for (const name of ["maxConcurrent", "maxQueued"] as const)
      if (merged[name] !== Infinity && !Number.isInteger(merged[name]))
        throw new TypeError(`traffic.${name} must be an integer of at least 1`);
    this.#limits = { ...merged, random, onClosed: (error, forMs) => this.#closedMs.set(error, Math.round(forMs)) };
  }

  /** The current state of each endpoint and key that is not idle. */
  state(): readonly TrafficState[] {
    const now = Date.now();
    return [...this.#limiters.values()]
      .filter((limiter) => !limiter.isIdle(now))
      .map((limiter) => ({
        baseUrl: limiter.baseUrl,
        active: limiter.active,
        queued: limiter.queued,
        heldBack: limiter.closedGates(now).map((gate) => ({
          name: gate.name,
          forMs: Math.ceil(gate.remainingMs(now)),
        })),
      }));
  }

  /** @internal See {@link EndpointLimiter.acquire}. */
  acquire(
    endpoint: Endpoint,
    auth: HeaderFields,
    call: { readonly operation: string; readonly model?: string | undefined },
    request: PermitRequest,
  ): Permit | Promise<Permit> {
    const { operation, model = "" } = call;
    const generates = operation === "streamGenerateContent" || operation === "generateContent";
    return this.#limiterFor(endpoint, auth).acquire(generates ? model : `${operation} ${model}`, request);
  }

  /** @internal For how many milliseconds an error holds back requests of its kind; undefined if it does not. */
  closedMs(error: object): number | undefined {
    return this.#closedMs.get(error);
  }

  #limiterFor(endpoint: Endpoint, auth: HeaderFields): EndpointLimiter {
    const { baseUrl, cachesPath, modelsPath } = endpoint;
    const signature = joinSignature(endpoint, auth);
    let known = this.#ids.get(endpoint);
    if (known?.signature !== signature) {
      // On Vertex the path contains the project.
      const id = `${baseUrl} ${cachesPath ?? modelsPath} ${fingerprint(this.#salt + signature)}`;
      this.#ids.set(endpoint, (known = { signature, id }));
    }
    const { id } = known;
    let limiter = this.#limiters.get(id);
    if (limiter === undefined) {
      if (this.#limiters.size >= MAX_LIMITERS) this.#dropIdle();
      limiter = new EndpointLimiter(baseUrl, this.#limits);
      this.#limiters.set(id, limiter);
    }
    return limiter;
  }

  #dropIdle(): void {
    const now = Date.now();
    for (const [id, limiter] of this.#limiters) if (limiter.isIdle(now)) this.#limiters.delete(id);
  }
}

/** Identifies the key. Vertex's access tokens do not count: they are renewed every hour, for the same project. */
function joinSignature({ kind }: Endpoint, auth: HeaderFields): string {
  let signature = "";
  for (const name in auth) if (kind !== "vertex" || name !== "authorization") signature += `\n${auth[name]}`;
  return signature;
}
