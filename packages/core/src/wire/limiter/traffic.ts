import { type ApiStatusError, TrafficLimitError } from "../../errors/api-errors.ts";
import { MAX_TIMER_MS, whenAborted } from "../../internal/abort.ts";
import { fingerprint } from "../../internal/json.ts";
import { withDefaults } from "../../internal/option-names.ts";
import type { Endpoint, HeaderFields } from "../endpoints/endpoint.ts";
import { describe } from "../http/retry.ts";
import { FairQueue, notSentError, Permit, type PermitRequest, type QueuedRequest, RateGate } from "./rate-gate.ts";

/** Options of `Traffic`. The limits apply per endpoint and key. */
export interface TrafficOptions {
  /** Most requests in flight, each until the end of its answer. @defaultValue `Infinity` */
  readonly maxConcurrent?: number | undefined;
  /** Most queued requests. Another one fails with a `TrafficLimitError`. @defaultValue 100_000 */
  readonly maxQueued?: number | undefined;
  /** Longest time in the queue, in milliseconds; then the request fails with a `TrafficLimitError`. @defaultValue 3_600_000 */
  readonly maxQueueMs?: number | undefined;
  /** Returns numbers from 0 to 1, for jitter. @defaultValue `Math.random` */
  readonly random?: (() => number) | undefined;
}

/** State of one endpoint and key. */
export interface TrafficState {
  readonly baseUrl: string;
  /** Requests in flight. */
  readonly active: number;
  /** Requests that wait for a slot or for the service. */
  readonly queued: number;
  /** Held-back requests: their model (or for other operations the operation and its model), and for how many more milliseconds. */
  readonly heldBack: readonly { readonly name: string; readonly forMs: number }[];
}

/** More limiters than this are kept only while they are not idle. */
const MAX_LIMITERS = 1000;

/**
 * Limits on requests that clients, models and agents share: how many are in flight, which are queued, and how long the service asked to
 * wait. Requests are counted per endpoint and key; a wait applies per model as well. Runs take turns in the queue. `Traffic` keeps only a
 * salted fingerprint of a key, and never shows it.
 * @example
 * ```ts
 * const traffic = new Traffic({ maxConcurrent: 8 });
 * const agent = new Agent({ model: gemini("gemini-flash-latest", { traffic }) });
 * ```
 */
export class Traffic {
  readonly #limits: EndpointLimits;
  readonly #limiters = new Map<string, EndpointLimiter>();
  /** The last limiter of each endpoint object, so that not every request computes a fingerprint. */
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
      const now = Date.now();
      if (this.#limiters.size >= MAX_LIMITERS)
        for (const [old, idle] of this.#limiters) if (idle.isIdle(now)) this.#limiters.delete(old);
      limiter = new EndpointLimiter(baseUrl, this.#limits);
      this.#limiters.set(id, limiter);
    }
    return limiter;
  }
}

/** Identifies the key. Leaves out Vertex's access tokens, which change every hour for the same project. */
function joinSignature({ kind }: Endpoint, auth: HeaderFields): string {
  let signature = "";
  for (const name in auth) if (kind !== "vertex" || name !== "authorization") signature += `\n${auth[name]}`;
  return signature;
}

/** Shared by the {@link EndpointLimiter}s of one `Traffic`. */
export type EndpointLimits = { readonly [Name in keyof TrafficOptions]-?: NonNullable<TrafficOptions[Name]> } & {
  /** Called with an error that closed a gate, and the milliseconds that the gate stays closed. */
  readonly onClosed: (error: ApiStatusError, forMs: number) => void;
};

/** More gates than this are kept only while something waits there. */
const MAX_GATES = 100;

/** Limits the requests to one endpoint with one key: some in flight, the rest in a fair queue. A request first passes its model's gate. */
export class EndpointLimiter {
  readonly baseUrl: string;
  /** Requests in flight, until the end of their answers. */
  active = 0;
  readonly #limits: EndpointLimits;
  readonly #gates = new Map<string, RateGate>();
  /** Requests that have passed their gate and wait for a slot. */
  readonly #slots = new FairQueue<QueuedRequest>();
  /** All queued requests, oldest first. */
  readonly #byAge = new Set<QueuedRequest>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #fillTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(baseUrl: string, limits: EndpointLimits) {
    this.baseUrl = baseUrl;
    this.#limits = limits;
  }

  get #host(): string {
    return new URL(this.baseUrl).host;
  }

  get queued(): number {
    return this.#byAge.size;
  }

  /** The gates that hold requests back. */
  closedGates(now: number): readonly RateGate[] {
    return [...this.#gates.values()].filter((gate) => gate.waiting.size > 0 || gate.remainingMs(now) > 0);
  }

  /** Nothing is in flight, queued or held back. */
  isIdle(now: number): boolean {
    return this.active === 0 && this.queued === 0 && this.closedGates(now).length === 0;
  }

  /** A permit to send: no promise if one is available. @param name - Name of the gate: the model, or the operation and its model. */
  acquire(name: string, request: PermitRequest): Permit | Promise<Permit> {
    const gate = this.#gates.get(name) ?? this.#addGate(name);
    const isThrough = gate.isOpen || (gate.waiting.size === 0 && gate.take(Date.now()));
    if (!isThrough || this.active >= this.#limits.maxConcurrent || this.#slots.size > 0)
      return this.#queue(gate, request, isThrough);
    this.active++;
    return new Permit(this, gate, 0);
  }

  release(): void {
    this.active--;
    if (this.#slots.size === 0 || this.#fillTimer !== undefined) return;
    // In a later task: in this one, the platform does not reuse the connection yet.
    this.#fillTimer = setTimeout(() => {
      this.#fillTimer = undefined;
      this.#fill();
    });
  }

  close(gate: RateGate, error: ApiStatusError): void {
    const now = Date.now();
    gate.close(error, this.#limits.random(), now);
    const closedMs = gate.remainingMs(now);
    this.#limits.onClosed(error, closedMs);
    for (const queued of this.#byAge) {
      if (queued.gate !== gate) continue;
      if (gate.exceeds(queued.request.maxDelayMs, now)) this.#reject(queued, notSentError(gate.name, error, closedMs));
      else this.#notify(queued, now);
    }
    gate.arm(now);
  }

  #addGate(name: string): RateGate {
    if (this.#gates.size >= MAX_GATES)
      for (const gate of this.#gates.values()) if (gate.isOpen) this.#gates.delete(gate.name);
    const gate: RateGate = new RateGate(name, () => this.#open(gate));
    this.#gates.set(name, gate);
    return gate;
  }

  #queue(gate: RateGate, request: PermitRequest, isThrough: boolean): Promise<Permit> {
    const { maxQueued } = this.#limits;
    const { signal } = request;
    signal?.throwIfAborted();
    const now = Date.now();
    if (gate.reason !== undefined && gate.exceeds(request.maxDelayMs, now))
      throw notSentError(gate.name, gate.reason, gate.remainingMs(now));
    if (this.queued >= maxQueued)
      throw new TrafficLimitError(
        "maxQueued",
        maxQueued,
        `${maxQueued} requests are already queued for ${this.#host}: start fewer at once, or raise Traffic's maxQueued.`,
      );
    return new Promise<Permit>((resolve, reject) => {
      const queued: QueuedRequest = {
        request,
        gate,
        epoch: gate.epoch,
        queuedAt: now,
        retryAt: request.retryAt ?? -Infinity,
        resolve,
        reject,
        stopListening: whenAborted(signal, () => this.#reject(queued, signal?.reason)),
      };
      this.#byAge.add(queued);
      if (this.#timer === undefined) this.#armLimit(now);
      if (isThrough) this.#slots.push(request.group, queued);
      else this.#waitAtGate(queued, now);
    });
  }

  #waitAtGate(queued: QueuedRequest, now: number): void {
    const { gate } = queued;
    gate.waiting.push(queued.request.group, queued);
    if (!gate.isArmed) gate.arm(now);
    this.#notify(queued, now);
  }

  /** Announces a wait that is more than a second longer than the one announced before. */
  #notify(queued: QueuedRequest, now: number): void {
    const { gate, request } = queued;
    const delayMs = gate.remainingMs(now);
    if (gate.reason === undefined || now + delayMs <= queued.retryAt + 1000) return;
    queued.retryAt = now + delayMs;
    try {
      request.onWait?.({ delayMs: Math.ceil(delayMs), error: describe(gate.reason) });
    } catch (error) {
      // The request leaves the queue: nothing else would release its slot.
      this.#reject(queued, error);
    }
  }

  /** Lets through what the gate allows now. */
  #open(gate: RateGate): void {
    const now = Date.now();
    while (gate.waiting.size > 0 && gate.take(now)) {
      const queued = gate.waiting.shift();
      if (queued === undefined) break;
      queued.epoch = gate.epoch;
      this.#slots.push(queued.request.group, queued);
    }
    gate.arm(now);
    this.#fill();
  }

  #fill(): void {
    while (this.active < this.#limits.maxConcurrent) {
      const queued = this.#slots.shift();
      if (queued === undefined) return;
      const { gate } = queued;
      const now = Date.now();
      // The gate may have been closed since.
      if (queued.epoch === gate.epoch || gate.isOpen || (gate.waiting.size === 0 && gate.take(now))) {
        this.active++;
        this.#dequeue(queued);
        queued.resolve(new Permit(this, gate, now - queued.queuedAt));
      } else this.#waitAtGate(queued, now);
    }
  }

  #reject(queued: QueuedRequest, error: unknown): void {
    this.#dequeue(queued);
    queued.reject(error);
  }

  #dequeue(queued: QueuedRequest): void {
    const { gate, request } = queued;
    gate.waiting.remove(request.group, queued);
    this.#slots.remove(request.group, queued);
    this.#byAge.delete(queued);
    queued.stopListening();
    if (gate.waiting.size === 0) gate.disarm();
    if (this.#byAge.size > 0) return;
    clearTimeout(this.#timer);
    clearTimeout(this.#fillTimer);
    this.#timer = undefined;
    this.#fillTimer = undefined;
  }

  /** One timer enforces the limit for all: the oldest request reaches it first. */
  #armLimit(now: number): void {
    const { maxQueueMs } = this.#limits;
    this.#timer = undefined;
    for (const oldest of this.#byAge) {
      const leftMs = oldest.queuedAt + maxQueueMs - now;
      if (leftMs > 0) {
        this.#timer = setTimeout(() => this.#armLimit(Date.now()), Math.min(Math.ceil(leftMs), MAX_TIMER_MS));
        return;
      }
      const why = `A request to ${this.#host} was queued for ${maxQueueMs} ms without being sent: start fewer at once, or raise Traffic's maxQueueMs.`;
      this.#reject(oldest, new TrafficLimitError("maxQueueMs", maxQueueMs, why));
    }
  }
}
