import { computeCost, type Json, type PriceTable } from "@pollux/core";
import { findPrices, readResponseBody } from "@pollux/core/model";
import { type KeptExchange, KeptExchanges } from "@pollux/core/exchanges";
import { comparePrefix, type PrefixComparison } from "@pollux/core/rehearsal";
import type { ExchangeDetails, ExchangeRow, InnerAnswer, PrefixBreak } from "./exchange-details.ts";
import { describeList } from "./cost.ts";
import { type CacheEstimate, costOfBreak, estimateCache } from "./prefix-cost.ts";
import { fieldsOf, firstWords, parseJson, textOf } from "./read-values.ts";
import { readableEntry } from "./session-fold.ts";
import { answerWords } from "./step-row.ts";

/** The kept exchanges of a session, read entry by entry. Adding an entry takes time in proportion to that entry alone. */
export class ExchangeFold {
  /** As stored. */
  readonly entries: Json[] = [];
  readonly kept: KeptExchanges = new KeptExchanges();
  readonly #rows: ExchangeRow[] = [];
  /** Index of the last exchange of each conversation: the run's, or one of an agent inside it. */
  readonly #last: Map<string, number> = new Map();
  readonly #prices: PriceTable | undefined;

  constructor({ prices }: { readonly prices?: PriceTable | undefined } = {}) {
    this.#prices = prices;
  }
  /** Entries of the log. */
  get length(): number {
    return this.entries.length;
  }

  get rows(): readonly ExchangeRow[] {
    return this.#rows;
  }

  add(stored: readonly Json[]): void {
    if (stored.length === 0) return;
    const entries = stored.map(readableEntry);
    this.entries.push(...entries);
    this.kept.add(entries);
    const { exchanges } = this.kept;
    for (let n = this.#rows.length; n < exchanges.length; n++) {
      const exchange = exchanges[n];
      if (exchange !== undefined) this.#rows.push(this.#rowOf(exchange, n));
    }
  }

  /** @returns Undefined when there is no such exchange. */
  details(n: number): ExchangeDetails | undefined {
    const exchange = this.kept.exchanges[n];
    const row = this.#rows[n];
    if (exchange === undefined || row === undefined) return undefined;
    const bytes = this.body(n);
    const body = bytes === undefined ? "" : new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
    const shared = bytes === undefined ? 0 : textLength(bytes, row.sharedBytes);
    const { requestHeaders, status, responseHeaders = {}, chunks } = exchange;
    return {
      row,
      request: { headers: requestHeaders, body, shared },
      response: status === undefined ? undefined : { status, headers: responseHeaders, chunks },
      problem: bytes === undefined ? "An entry that its body is based on is damaged." : undefined,
      comparison: this.#comparison(row, bytes),
    };
  }

  /** Why an exchange failed, in one line, with its status: the error, the service's message, or the beginning of its answer. */
  failureOf(n: number): string {
    const { status, error = "no answer" } = this.#rows[n] ?? {};
    if (status === undefined || status === 200) return firstWords([status, error].join(" ").trim(), 500);
    const answer = (this.kept.exchanges[n]?.chunks ?? []).map(({ text }) => text).join("");
    return firstWords(`${status} ${messageIn(answer) ?? answer.slice(0, 10_000)}`, 500);
  }

  /** The bytes of a request's body; undefined when they can't be rebuilt. */
  body(n: number): Uint8Array | undefined {
    const position = this.kept.exchanges[n]?.position;
    if (position === undefined) return undefined;
    try {
      return this.kept.body(position);
    } catch {
      return undefined;
    }
  }

  /** The JSON of a request's body; undefined without one. */
  request(n: number): unknown {
    return parseJson(new TextDecoder().decode(this.body(n)));
  }

  #rowOf(exchange: KeptExchange, n: number): ExchangeRow {
    const { runId, step, attempt, startedAt, endedAt, method, url, status, ended, error, chunks, parent } = exchange;
    // Agents inside calls have conversations of their own.
    const conversation = `${exchange.agent}\n${parent === undefined ? "" : runId}\n${exchange.operation}`;
    const before = this.#last.get(conversation);
    this.#last.set(conversation, n);
    const compared: PrefixComparison = before === undefined ? { sharedBytes: 0 } : this.#compare(exchange, before, n);
    const answer = chunks.map(({ text }) => text).join("");
    const tokens = tokensIn(answer);
    const known = { n, runId, attempt, method, url, status, ended, parent, before };
    return {
      ...known,
      step: step.name,
      turn: step.place.turn,
      at: startedAt,
      ms: Math.max(0, endedAt - startedAt),
      firstByteMs: chunks.find(({ text }) => text !== "")?.ms,
      error: error === undefined ? unusable(exchange, answer) : `${error.name}: ${error.message}`,
      requestBytes: exchange.bodyBytes,
      sharedBytes: compared.sharedBytes,
      ...tokens,
      inner: parent && this.#innerAnswer(exchange, answer),
      brokenAt: this.#breakOf(compared, exchange, tokens),
    };
  }

  #breakOf(
    { broken }: PrefixComparison,
    { bodyBytes, model, startedAt: at }: KeptExchange,
    { promptTokens, cachedTokens = 0 }: Tokens,
  ): PrefixBreak | undefined {
    if (broken === undefined) return undefined;
    const { field, lostBytes } = broken;
    if (promptTokens === undefined) return { field };
    const prices = findPrices(this.#prices, model, at);
    const lost = costOfBreak(lostBytes, { bodyBytes, promptTokens, cachedTokens }, prices);
    return { field, ...lost, currency: lost.cost === undefined ? undefined : describeList(this.#prices).currency };
  }

  #innerAnswer({ agent, model, startedAt }: KeptExchange, answer: string): InnerAnswer {
    const prices = findPrices(this.#prices, model, startedAt);
    try {
      const { response } = readResponseBody(answer);
      return { agent, text: answerWords(response), cost: prices && computeCost(response.usage, prices) };
    } catch {
      return { agent, text: "" };
    }
  }

  /** The estimated cost with an explicit cache of the instructions and tools; undefined without prices or requests. */
  cacheEstimate(): CacheEstimate | undefined {
    const last = this.#rows.findLast(({ promptTokens, parent }) => promptTokens !== undefined && parent === undefined);
    const exchange = last && this.kept.exchanges[last.n];
    const prices = exchange && findPrices(this.#prices, exchange.model, last.at);
    const body = last && this.body(last.n);
    if (last?.promptTokens === undefined || prices === undefined || body === undefined) return undefined;
    const head = Math.max(0, new TextDecoder().decode(body).indexOf('"contents":'));
    const requests = this.#rows.flatMap(({ at, promptTokens, cachedTokens = 0, parent }) =>
      promptTokens === undefined || parent !== undefined ? [] : [{ at, promptTokens, cachedTokens }],
    );
    const estimate = estimateCache(requests, Math.round((head * last.promptTokens) / body.length), prices);
    return estimate && { ...estimate, currency: describeList(this.#prices).currency };
  }

  #comparison({ before, brokenAt }: ExchangeRow, bytes: Uint8Array | undefined): ExchangeDetails["comparison"] {
    const other = before === undefined || brokenAt === undefined ? undefined : this.body(before);
    if (bytes === undefined || other === undefined) return undefined;
    const { broken } = comparePrefix(other, bytes);
    return broken && { was: broken.was, is: broken.is };
  }

  /** Rebuilds both bodies only if the entry doesn't show that the request added contents and nothing else. */
  #compare(exchange: KeptExchange, before: number, n: number): PrefixComparison {
    const { base } = exchange;
    const known = this.kept.exchanges[before];
    if (base !== undefined && base.position === known?.position && this.#onlyAdds(exchange.position))
      return { sharedBytes: base.sharedBytes };
    const [some, other] = [this.body(before), this.body(n)];
    return some === undefined || other === undefined ? { sharedBytes: 0 } : comparePrefix(some, other);
  }

  /** True if the request adds whole contents and removes nothing. */
  #onlyAdds(position: number): boolean {
    const added = this.kept.insertion(position);
    if (added === undefined || added === "") return added === "";
    if (!added.startsWith(",{")) return false;
    const contents = parseJson(`[${added.slice(1)}]`);
    return Array.isArray(contents) && contents.every((one) => Array.isArray(fieldsOf(one)["parts"]));
  }
}

type Tokens = Pick<ExchangeRow, "promptTokens" | "cachedTokens" | "totalTokens">;

/** The token counts that an answer was billed for: the last ones in it. */
function tokensIn(answer: string): Tokens {
  // The counts are at the end.
  const usage = /.*("usageMetadata".*)/s.exec(answer.slice(-65_536))?.[1] ?? "";
  const [promptTokens, cachedTokens, totalTokens] = ["prompt", "cachedContent", "total"].map((name) => {
    const found = new RegExp(`"${name}TokenCount"\\s*:\\s*(\\d{1,12})`).exec(usage)?.[1];
    return found === undefined ? undefined : Number(found);
  });
  return { promptTokens, cachedTokens, totalTokens };
}

/** Why an answer is of no use to a run, although its status is 200 and it is complete. */
function unusable({ status, ended, url }: KeptExchange, answer: string): string | undefined {
  if (status !== 200 || ended !== "complete" || !/generateContent\b/i.test(url)) return undefined;
  if (answer.includes('"finishReason"')) return undefined;
  const blocked = /"blockReason"\s*:\s*"(\w+)"/.exec(answer)?.[1];
  return blocked === undefined
    ? (messageIn(answer) ?? "The answer has no finish reason.")
    : `The prompt was blocked: ${blocked}`;
}

/** The service's message in an answer. */
function messageIn(answer: string): string | undefined {
  const message = /"message"\s*:\s*("(?:[^"\\]|\\.)*")/.exec(answer.slice(0, 10_000))?.[1];
  return message === undefined ? undefined : (textOf(parseJson(message)) ?? message);
}

/** UTF-16 length of the first bytes of a text, without an incomplete last character. */
function textLength(bytes: Uint8Array, length: number): number {
  let end = length;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, end)).length;
}
