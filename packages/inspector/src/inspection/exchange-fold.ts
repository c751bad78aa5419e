import { computeCost, type Json, type PriceTable, type Usage } from "@pollux/core";
import { findPrices, NO_USAGE } from "@pollux/core/model";
import { type KeptExchange, KeptExchanges } from "@pollux/core/exchanges";
import { comparePrefix, type PrefixComparison } from "@pollux/core/rehearsal";
import type {
  ChunkView,
  ExchangeComparison,
  ExchangeDetails,
  ExchangeRow,
  HeaderView,
  InnerAnswer,
  PrefixBreak,
} from "./exchange-details.ts";
import { describeList } from "./cost.ts";
import { type CacheEstimate, costOfBreak, estimateCache } from "./prefix-cost.ts";
import { fieldsOf, firstWords, parseJson, textOf } from "./read-values.ts";
import { readableEntry } from "./session-fold.ts";

/** The kept exchanges of a session, read entry by entry. Adding one costs what was new in it. */
export class ExchangeFold {
  /** As they were stored. */
  readonly entries: Json[] = [];
  readonly kept: KeptExchanges = new KeptExchanges();
  readonly #rows: ExchangeRow[] = [];
  /** Index of the last exchange of each conversation: a run's own, or those of agents inside it. */
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
    const { method, url, requestHeaders, status, responseHeaders = {}, chunks } = exchange;
    return {
      row,
      request: { method, url, headers: headersOf(requestHeaders), body, shared },
      ...(status !== undefined && {
        response: {
          status,
          headers: headersOf(responseHeaders),
          chunks: chunks.map(({ ms, text }): ChunkView => ({ ms, text })),
        },
      }),
      ...(row.error !== undefined && { error: row.error }),
      ...(bytes === undefined && { problem: "An entry that its body is based on is damaged." }),
      ...this.#comparison(row, bytes),
    };
  }

  /** Why an exchange failed, in one line: what the service said, or the error. */
  said(n: number): string {
    const exchange = this.kept.exchanges[n];
    if (exchange === undefined) return "";
    const { status, error, chunks } = exchange;
    if (status === undefined) return error === undefined ? "no answer" : `${error.name}: ${error.message}`;
    const body = chunks
      .map(({ text }) => text)
      .join("")
      .slice(0, 10_000);
    const message = /"message"\s*:\s*("(?:[^"\\]|\\.)*")/.exec(body)?.[1];
    return firstWords(`${status} ${message === undefined ? body : unquoted(message)}`, 500);
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
    const { bodyBytes } = exchange;
    // Agents inside calls have conversations of their own.
    const conversation = `${exchange.agent}\n${parent === undefined ? "" : runId}\n${exchange.operation}`;
    const before = this.#last.get(conversation);
    this.#last.set(conversation, n);
    const compared: PrefixComparison = before === undefined ? { sharedBytes: 0 } : this.#compare(exchange, before, n);
    const { sharedBytes } = compared;
    const first = chunks.find(({ text }) => text !== "");
    const tokens = tokensIn(chunks.map(({ text }) => text));
    return {
      n,
      runId,
      step: step.name,
      turn: step.place.turn,
      attempt,
      at: startedAt,
      ms: Math.max(0, endedAt - startedAt),
      ...(first !== undefined && { firstByteMs: first.ms }),
      method,
      url,
      ...(status !== undefined && { status }),
      ended,
      ...(error !== undefined && { error: `${error.name}: ${error.message}` }),
      requestBytes: bodyBytes,
      sharedBytes,
      newBytes: bodyBytes - sharedBytes,
      responseBytes: chunks.reduce((sum, { text }) => sum + text.length, 0),
      chunks: chunks.length,
      ...(before !== undefined && { before }),
      ...(parent !== undefined && { parent: { runId: parent.runId, step: parent.step } }),
      ...tokens,
      ...(parent !== undefined && { inner: this.#innerAnswer(exchange) }),
      ...(before !== undefined && this.#breakOf(compared, before, exchange, tokens)),
    };
  }

  #breakOf(
    { broken, sharedBytes }: PrefixComparison,
    before: number,
    { bodyBytes, model, startedAt: at }: KeptExchange,
    { promptTokens, cachedTokens = 0 }: Tokens,
  ): { readonly brokenAt?: PrefixBreak } {
    if (broken === undefined) return {};
    const cost =
      promptTokens === undefined
        ? undefined
        : costOfBreak(broken.lostBytes, { bodyBytes, promptTokens, cachedTokens }, findPrices(this.#prices, model, at));
    const { currency } = cost?.cost === undefined ? {} : describeList(this.#prices);
    const money = { ...cost, ...(currency !== undefined && { currency }) };
    return { brokenAt: { before, field: broken.field, byte: sharedBytes, ...money } };
  }

  #innerAnswer({ agent, model, chunks, startedAt }: KeptExchange): InnerAnswer {
    const said = chunks.map(({ text }) => text).join("");
    const prices = findPrices(this.#prices, model, startedAt);
    const usage = usageIn(said);
    return {
      agent,
      text: wordsIn(said.slice(0, MAX_INNER_TEXT)),
      ...(prices !== undefined && usage !== undefined && { cost: computeCost(usage, prices) }),
    };
  }

  /** What an explicit cache of the instructions and tools would have cost; undefined without prices, or without any requests. */
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
    const { currency } = describeList(this.#prices);
    return estimate && { ...estimate, ...(currency !== undefined && { currency }) };
  }

  #comparison(row: ExchangeRow, bytes: Uint8Array | undefined): { readonly comparison?: ExchangeComparison } {
    const { before } = row;
    const other = before === undefined || row.brokenAt === undefined ? undefined : this.body(before);
    if (before === undefined || bytes === undefined || other === undefined) return {};
    const { broken } = comparePrefix(other, bytes);
    if (broken === undefined) return {};
    const { field, was, is } = broken;
    return { comparison: { before, field, ...(was !== undefined && { was }), ...(is !== undefined && { is }) } };
  }

  /** Rebuilds both bodies only where what was written down doesn't say that contents were added and nothing else. */
  #compare(exchange: KeptExchange, before: number, n: number): PrefixComparison {
    const { base } = exchange;
    const known = this.kept.exchanges[before];
    if (base !== undefined && base.position === known?.position && this.#onlyAdds(exchange.position))
      return { sharedBytes: base.sharedBytes };
    const [some, other] = [this.body(before), this.body(n)];
    return some === undefined || other === undefined ? { sharedBytes: 0 } : comparePrefix(some, other);
  }

  /** True when all that is new is whole contents, and nothing is gone. */
  #onlyAdds(position: number): boolean {
    const added = this.kept.insertion(position);
    if (added === undefined || added === "") return added === "";
    if (!added.startsWith(",{")) return false;
    const contents = parseJson(`[${added.slice(1)}]`);
    return Array.isArray(contents) && contents.every((one) => Array.isArray(fieldsOf(one)["parts"]));
  }
}

type Tokens = Pick<ExchangeRow, "promptTokens" | "cachedTokens" | "totalTokens">;

/** Characters of an answer in which its first words are looked for. */
const MAX_INNER_TEXT = 20_000;

/** What an answer says it was billed for: the last that it says. */
function tokensIn(texts: readonly string[]): Tokens {
  // The counts stand at the end of an answer, so its last pieces are enough, unless one of them is short.
  let tail = "";
  for (let index = texts.length - 1; index >= 0 && !tail.includes('"usageMetadata"'); index--) {
    tail = (texts[index] ?? "") + tail;
    if (tail.length > 65_536) break;
  }
  const count = countsIn(tail);
  const [promptTokens, cachedTokens, totalTokens] = [count("prompt"), count("cachedContent"), count("total")];
  return {
    ...(promptTokens !== undefined && { promptTokens }),
    ...(cachedTokens !== undefined && { cachedTokens }),
    ...(totalTokens !== undefined && { totalTokens }),
  };
}

/** Reads the last counts of an answer, by the first part of their names. */
function countsIn(text: string): (name: string) => number | undefined {
  const at = text.lastIndexOf('"usageMetadata"');
  const usage = at === -1 ? "" : text.slice(at);
  return (name) => {
    const found = new RegExp(`"${name}TokenCount"\\s*:\\s*(\\d{1,12})`).exec(usage)?.[1];
    return found === undefined ? undefined : Number(found);
  };
}

function usageIn(text: string): Usage | undefined {
  const count = countsIn(text);
  const inputTokens = count("prompt");
  if (inputTokens === undefined) return undefined;
  return {
    ...NO_USAGE,
    requests: 1,
    inputTokens,
    cachedTokens: count("cachedContent") ?? 0,
    outputTokens: count("candidates") ?? 0,
    thoughtTokens: count("thoughts") ?? 0,
    toolUseTokens: count("toolUsePrompt") ?? 0,
  };
}

/** The first words of an answer as it crossed; or else what it called. */
function wordsIn(answer: string): string {
  const strings = (pattern: RegExp): readonly string[] =>
    [...answer.matchAll(pattern)].map(([, json]) => unquoted(json ?? ""));
  const texts = strings(/"text"\s*:\s*("(?:[^"\\]|\\.)*")/g).join("");
  const names = strings(/"functionCall"\s*:\s*\{[^{}]{0,200}?"name"\s*:\s*("(?:[^"\\]|\\.)*")/g);
  return firstWords(
    [texts, names.map((name) => `${name}()`).join(", ")].filter((words) => words.trim() !== "").join(" "),
  );
}

function headersOf(headers: { readonly [name: string]: string }): readonly HeaderView[] {
  return Object.entries(headers).map(([name, value]): HeaderView => [name, value]);
}

/** The text of a JSON string; the string itself where it is none. */
function unquoted(json: string): string {
  return textOf(parseJson(json)) ?? json;
}

/** UTF-16 length of the first bytes of a text, without the beginning of a character that they end in. */
function textLength(bytes: Uint8Array, length: number): number {
  let end = length;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, end)).length;
}
