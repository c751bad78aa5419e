import { fingerprint } from "../../internal/json.ts";
import type { Endpoint, HeaderFields } from "../endpoints/endpoint.ts";
import { withDefaults } from "../http/timeouts.ts";
import { Account, type AccountLimits, type Ask, type Pass } from "./endpoint-limiter.ts";

/** Options of {@link Traffic}. They hold for each endpoint and key by itself. */
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
 * however many requests each of them has. A key is kept in memory no longer than its endpoint, and
 * shown nowhere.
 */
export class Traffic {
  /** @internal */
  readonly accounts: Accounts;

  /** @throws {TypeError} For a limit that is not a positive number. */
  constructor(options: TrafficOptions = {}) {
    this.accounts = new Accounts(options);
  }

  /** What is going on now, for each endpoint and key with anything to say. */
  state(): readonly TrafficState[] {
    return this.accounts.state();
  }
}

/** Accounts that are kept although nothing is going on there. */
const MAX_ACCOUNTS = 1000;

/** The {@link Account}s of one `Traffic`, found by endpoint and key. Keys take part as salted fingerprints. */
export class Accounts {
  readonly #limits: AccountLimits;
  readonly #accounts = new Map<string, Account>();
  /** The account of each endpoint object, as long as it signs the same way. */
  readonly #known = new WeakMap<Endpoint, { readonly signature: string; readonly account: Account }>();
  readonly #held = new WeakMap<object, number>();
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
        throw new TypeError(`traffic.${name} must be a whole number of at least 1`);
    this.#limits = { ...merged, random, onHeld: (error, forMs) => this.#held.set(error, Math.round(forMs)) };
  }

  /** What is going on now, for each endpoint and key with anything to say. */
  state(): readonly TrafficState[] {
    const now = Date.now();
    return [...this.#accounts.values()]
      .filter((account) => !account.isIdle(now))
      .map((account) => ({
        baseUrl: account.baseUrl,
        active: account.active,
        queued: account.queued,
        heldBack: account.closed(now).map((gate) => ({ name: gate.name, forMs: Math.ceil(gate.closedFor(now)) })),
      }));
  }

  /** Leave to send a request. See {@link Account.enter}. */
  enter(
    endpoint: Endpoint,
    auth: HeaderFields,
    call: { readonly operation: string; readonly model?: string | undefined },
    ask: Ask,
  ): Pass | Promise<Pass> {
    const account = this.#accountOf(endpoint, auth);
    const { operation, model = "" } = call;
    const generates = operation === "streamGenerateContent" || operation === "generateContent";
    return account.enter(account.gate(generates ? model : `${operation} ${model}`), ask);
  }

  /**
   * How long requests like the one that failed are held back because of it, in milliseconds; undefined if they are not.
   */
  heldMs(error: object): number | undefined {
    return this.#held.get(error);
  }

  #accountOf(endpoint: Endpoint, auth: HeaderFields): Account {
    const signature = signatureOf(endpoint, auth);
    const known = this.#known.get(endpoint);
    if (known !== undefined && known.signature === signature && !known.account.isDropped) return known.account;
    const { baseUrl, cachesPath, modelsPath } = endpoint;
    // On Vertex the path names the project.
    const id = [baseUrl, cachesPath ?? modelsPath, fingerprint([this.#salt, signature])].join(" ");
    let account = this.#accounts.get(id);
    if (account === undefined) {
      if (this.#accounts.size >= MAX_ACCOUNTS) this.#dropIdle();
      account = new Account(baseUrl, this.#limits);
      this.#accounts.set(id, account);
    }
    this.#known.set(endpoint, { signature, account });
    return account;
  }

  #dropIdle(): void {
    const now = Date.now();
    for (const [id, account] of this.#accounts) {
      if (!account.isIdle(now)) continue;
      account.isDropped = true;
      this.#accounts.delete(id);
    }
  }
}

/** What tells one key from another. Tokens of Vertex are renewed every hour, and go for the same project. */
function signatureOf({ kind }: Endpoint, auth: HeaderFields): string {
  let signature = "";
  for (const name in auth) {
    if (kind === "vertex" && name === "authorization") continue;
    signature = signature === "" ? (auth[name] ?? "") : `${signature}\n${auth[name]}`;
  }
  return signature;
}
