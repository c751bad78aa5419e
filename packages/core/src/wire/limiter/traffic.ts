import { fingerprint } from "../../internal/json.ts";
import type { Endpoint, HeaderFields } from "../endpoints/endpoint.ts";
import { withDefaults } from "../http/timeouts.ts";
import { EndpointLimiter, type EndpointLimits, type Permit, type PermitRequest } from "./endpoint-limiter.ts";

/** Options of {@link Traffic}. They apply per endpoint and key. */
export interface TrafficOptions {
  /** Most requests on their way at once, each from its sending to the end of its answer. @defaultValue `Infinity` */
  readonly maxConcurrent?: number | undefined;
  /** Most requests that wait. One more fails with a `TrafficLimitError`. @defaultValue 100_000 */
  readonly maxQueued?: number | undefined;
  /**
   * Longest that one request waits to be sent, in milliseconds; then it fails with a `TrafficLimitError`. `Infinity` switches it off.
   *
   * @defaultValue 3_600_000
   */
  readonly maxQueueMs?: number | undefined;
  /** Numbers from 0 to 1, for jitter. @defaultValue `Math.random` */
  readonly random?: (() => number) | undefined;
}

/** What {@link Traffic.state} says of one endpoint and key. */
export interface TrafficState {
  readonly baseUrl: string;
  /** Requests on their way. */
  readonly active: number;
  /** Requests that wait, for a slot or for the service. */
  readonly queued: number;
  /** What the service holds back: a model (or another operation and its model), and for how many more milliseconds. */
  readonly heldBack: readonly { readonly name: string; readonly forMs: number }[];
}

/**
 * What many clients, models and agents know together about the endpoints they use: how many requests are on their way, who
 * waits, and for how long the service wants to be left alone. Give the same object to all of them.
 *
 * Requests are counted by endpoint and key, waits that the service asked for also by model. Runs take turns in the queue,
 * however many requests each of them has. A key takes part as a salted fingerprint, and is shown nowhere.
 */
export class Traffic {
  /** @internal */
  readonly limiter: TrafficLimiter;

  /** @throws {TypeError} For a limit that is not a positive number. */
  constructor(options: TrafficOptions = {}) {
    this.limiter = new TrafficLimiter(options);
  }

  /** What is going on now, for each endpoint and key with anything to say. */
  state(): readonly TrafficState[] {
    return this.limiter.state();
  }
}

/** Limiters that are kept although nothing is going on there. */
const MAX_LIMITERS = 1000;

/** Finds the {@link EndpointLimiter} of an endpoint and key, for one `Traffic`. */
export class TrafficLimiter {
  readonly #limits: EndpointLimits;
  readonly #limiters = new Map<string, EndpointLimiter>();
  /** The limiter of each endpoint object, as long as it signs the same way. */
  readonly #known = new WeakMap<Endpoint, { readonly signature: string; readonly limiter: EndpointLimiter }>();
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

  /** See {@link Traffic.state}. */
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

  /** A permit to send a request. See {@link EndpointLimiter.acquire}. */
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

  /** How long requests like the one that failed are held back because of it, in milliseconds; undefined if they are not. */
  closedMs(error: object): number | undefined {
    return this.#closedMs.get(error);
  }

  #limiterFor(endpoint: Endpoint, auth: HeaderFields): EndpointLimiter {
    const signature = joinSignature(endpoint, auth);
    const known = this.#known.get(endpoint);
    if (known !== undefined && known.signature === signature && !known.limiter.isDropped) return known.limiter;
    const { baseUrl, cachesPath, modelsPath } = endpoint;
    // On Vertex the path names the project.
    const id = [baseUrl, cachesPath ?? modelsPath, fingerprint([this.#salt, signature])].join(" ");
    let limiter = this.#limiters.get(id);
    if (limiter === undefined) {
      if (this.#limiters.size >= MAX_LIMITERS) this.#dropIdle();
      limiter = new EndpointLimiter(baseUrl, this.#limits);
      this.#limiters.set(id, limiter);
    }
    this.#known.set(endpoint, { signature, limiter });
    return limiter;
  }

  #dropIdle(): void {
    const now = Date.now();
    for (const [id, limiter] of this.#limiters) {
      if (!limiter.isIdle(now)) continue;
      limiter.isDropped = true;
      this.#limiters.delete(id);
    }
  }
}

/** What tells one key from another. Tokens of Vertex are renewed every hour, and go for the same project. */
function joinSignature({ kind }: Endpoint, auth: HeaderFields): string {
  let signature = "";
  for (const name in auth) {
    if (kind === "vertex" && name === "authorization") continue;
    signature = signature === "" ? (auth[name] ?? "") : `${signature}\n${auth[name]}`;
  }
  return signature;
}
