import { ConfigurationError } from "../errors/agent-error.ts";
import { QuotaReachedError } from "../errors/api-errors.ts";
import { sleep } from "../internal/abort.ts";
import { checkAtLeast, checkOptions, namesIn, type OptionNames } from "../internal/option-names.ts";
import type { ModelResponse, RespondOptions } from "../model/model.ts";
import {
  addUsage,
  checkPrices,
  findPrices,
  NO_USAGE,
  type PriceTable,
  priceUsage,
  requirePrices,
  type Usage,
} from "../model/usage.ts";
import { MemoryQuotaStore, type QuotaCounter, type QuotaStore } from "./quota-store.ts";

/** Options of {@link Quota}; at least one limit. */
export interface QuotaOptions {
  /** Keeps the counters. @defaultValue this process's memory */
  readonly store?: QuotaStore | undefined;
  /** Names the counters: models with the same name share them. @defaultValue "pollux" */
  readonly name?: string | undefined;
  /** Most answers of models per minute. */
  readonly requestsPerMinute?: number | undefined;
  /** Most tokens per minute, in and out. */
  readonly tokensPerMinute?: number | undefined;
  /** Highest cost per UTC day, in the unit of `prices`, which are required. */
  readonly costPerDay?: number | undefined;
  /** Prices of the models, for `costPerDay`. */
  readonly prices?: PriceTable | undefined;
  /** Longest wait of a request for a minute that has room, in milliseconds; then it fails with `QuotaReachedError`. @defaultValue 3_600_000 */
  readonly maxWaitMs?: number | undefined;
}

/** Use of this minute, and cost of this day, by all processes. */
export interface QuotaState {
  readonly requests: number;
  readonly tokens: number;
  readonly cost: number;
}

const QUOTA_OPTIONS: OptionNames<QuotaOptions> = namesIn(
  "store name requestsPerMinute tokensPerMinute costPerDay prices maxWaitMs",
);

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

const LIMIT_NAMES = ["requestsPerMinute", "tokensPerMinute", "costPerDay"] as const;

type Amounts = Pick<QuotaState, "tokens" | "cost">;

/**
 * Limits that all processes of an application share: requests and tokens per minute, cost per day. A model with a quota waits for the next
 * minute when this one is used up, and fails with `QuotaReachedError` once the day's cost is.
 *
 * Windows are whole minutes and days of each process's own clock. An answer's tokens and cost are known only afterward, so the average of
 * earlier answers is reserved before; answers in flight that use more than the average can exceed the limits of tokens and cost by the
 * difference. Each attempt to answer counts once, however often the client sends its request.
 *
 * @example
 * ```ts
 * const quota = new Quota({ requestsPerMinute: 300, costPerDay: 20, prices: googleListPrices });
 * const agent = new Agent({ model: gemini("gemini-3.8-flash", { quota }) });
 * ```
 */
export class Quota {
  readonly #options: QuotaOptions;
  readonly #store: QuotaStore;
  /** Answers so far in this process, and their use. */
  #answers = 0;
  #used: Amounts = { tokens: 0, cost: 0 };
  /** Counts that the store failed to take; sent again with the next ones. */
  #owed: readonly QuotaCounter[] = [];

  /** @throws {TypeError} For an option that does not exist or is too low, and without a limit. */
  constructor(options: QuotaOptions) {
    checkOptions("new Quota()", options, QUOTA_OPTIONS);
    for (const name of ["requestsPerMinute", "tokensPerMinute"] as const) checkAtLeast(name, options[name], 1);
    for (const name of ["costPerDay", "maxWaitMs"] as const) checkAtLeast(name, options[name], 0);
    if (LIMIT_NAMES.every((name) => options[name] === undefined))
      throw new TypeError(`new Quota() needs a limit: ${LIMIT_NAMES.join(", ")}`);
    if (options.costPerDay !== undefined && options.prices === undefined)
      throw new ConfigurationError("costPerDay requires prices: pass a price table to the quota.");
    if (options.prices !== undefined) checkPrices(options.prices);
    this.#options = options;
    this.#store = options.store ?? new MemoryQuotaStore();
  }

  /** Use of all processes, including reservations. */
  async state(): Promise<QuotaState> {
    const [requests, tokens, cost] = this.#counters(Date.now(), 0, { tokens: 0, cost: 0 });
    const { totals } = await this.#store.add([requests, tokens, cost].map((one) => ({ ...one, limit: undefined })));
    const [first = 0, second = 0, third = 0] = totals;
    return { requests: first, tokens: second, cost: third };
  }

  /** Calls `answer` once there is room, and counts its use. @internal */
  async within(
    modelId: string,
    options: RespondOptions,
    answer: (options: RespondOptions) => Promise<ModelResponse>,
  ): Promise<ModelResponse> {
    const { costPerDay, prices } = this.#options;
    if (costPerDay !== undefined) requirePrices("costPerDay", prices, modelId);
    const reserved = this.#expected();
    const at = await this.#reserve(reserved, options);
    let used: Usage = NO_USAGE;
    let version: string | undefined;
    try {
      const response = await answer({
        ...options,
        onLost: (usage) => {
          used = addUsage(used, usage);
          options.onLost?.(usage);
        },
      });
      used = addUsage(used, response.usage);
      version = response.envelope.modelVersion ?? modelId;
      return response;
    } finally {
      await this.#settle(at, reserved, used, version ?? modelId);
      this.#checkPriced(version, at);
    }
  }

  /** Expected use of the next answer: the average of earlier ones, but no more tokens than a minute has, or it would wait forever. */
  #expected(): Amounts {
    const count = Math.max(1, this.#answers);
    const { tokensPerMinute = Infinity } = this.#options;
    return { tokens: Math.min(tokensPerMinute, Math.round(this.#used.tokens / count)), cost: this.#used.cost / count };
  }

  /** Waits until there is room, and reserves it. @returns The time of the reservation. */
  async #reserve(reserved: Amounts, { signal, onNotice }: RespondOptions): Promise<number> {
    const { maxWaitMs = 3_600_000 } = this.#options;
    const begun = Date.now();
    for (;;) {
      const now = Date.now();
      const counters = this.#counters(now, 1, reserved);
      const owed = this.#owed;
      this.#owed = [];
      let full: number | undefined = -1;
      try {
        ({ full } = await this.#store.add([...counters, ...owed]));
      } finally {
        if (full !== undefined) this.#owed = [...owed, ...this.#owed];
      }
      if (full === undefined) return now;
      const name = LIMIT_NAMES[full] ?? "costPerDay";
      const windowMs = name === "costPerDay" ? DAY_MS : MINUTE_MS;
      const resetsAt = (Math.floor(now / windowMs) + 1) * windowMs;
      if (name === "costPerDay" || resetsAt - begun > maxWaitMs) throw this.#reached(name, resetsAt);
      // Spread out, so that waiting requests do not all start with the next minute.
      const delayMs = Math.ceil(resetsAt - now + Math.random() * 1000);
      const error = { code: "quota_reached", message: `${name} is used up until the next minute.` };
      onNotice?.({ type: "wait", delayMs, error });
      await sleep(delayMs, signal);
    }
  }

  #reached(name: QuotaReachedError["limit"], resetsAt: number): QuotaReachedError {
    const { [name]: value = 0 } = this.#options;
    const until = new Date(resetsAt).toISOString();
    const message = `${name} (${value}) is used up until ${until}: wait until then, or raise the limit of the quota.`;
    return new QuotaReachedError(message, name, value, resetsAt);
  }

  async #settle(at: number, reserved: Amounts, usage: Usage, version: string): Promise<void> {
    const { prices } = this.#options;
    const priced = prices === undefined ? {} : priceUsage(prices, usage, version, at);
    const used = { tokens: usage.totalTokens, cost: priced.cost ?? 0 };
    if (usage.requests > 0) {
      this.#answers += 1;
      this.#used = { tokens: this.#used.tokens + used.tokens, cost: this.#used.cost + used.cost };
    }
    const change = { tokens: used.tokens - reserved.tokens, cost: used.cost - reserved.cost };
    const counters = this.#counters(at, 0, change).map((one) => ({ ...one, limit: undefined }));
    // The answer is paid for, and must not be lost because the store failed.
    await this.#store.add(counters).catch(() => (this.#owed = [...this.#owed, ...counters]));
  }

  /** @throws {ConfigurationError} When the cost is limited, and a model without a price answered. */
  #checkPriced(version: string | undefined, at: number): void {
    const { costPerDay, prices } = this.#options;
    if (version === undefined || costPerDay === undefined || findPrices(prices, version, at) !== undefined) return;
    throw new ConfigurationError(
      `${version} answered, and the quota has no prices for it, so the cost is unknown: add them.`,
    );
  }

  /** In the order of {@link LIMIT_NAMES}. */
  #counters(now: number, requests: number, { tokens, cost }: Amounts): [QuotaCounter, QuotaCounter, QuotaCounter] {
    const { name = "pollux", requestsPerMinute, tokensPerMinute, costPerDay } = this.#options;
    const counter = (what: string, windowMs: number, amount: number, limit: number | undefined): QuotaCounter => {
      const window = Math.floor(now / windowMs);
      // Answers that began in a window may end in a later one.
      return { key: `${name} ${what} ${window}`, amount, limit, expiresAt: (window + 1) * windowMs + DAY_MS };
    };
    return [
      counter("requests", MINUTE_MS, requests, requestsPerMinute),
      counter("tokens", MINUTE_MS, tokens, tokensPerMinute),
      counter("cost", DAY_MS, cost, costPerDay),
    ];
  }
}
