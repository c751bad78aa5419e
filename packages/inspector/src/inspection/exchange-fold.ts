import { type Json, type KeptExchange, KeptExchanges } from "@pollux/core";
import type { ChunkView, ExchangeDetails, ExchangeRow, HeaderView } from "./exchange-details.ts";

/** The kept exchanges of a session, read entry by entry. Adding one costs what was new in it. */
export class ExchangeFold {
  /** As they were stored. */
  readonly entries: Json[] = [];
  readonly kept: KeptExchanges = new KeptExchanges();
  readonly #rows: ExchangeRow[] = [];
  /** Index of the last exchange of each conversation: a run's own, or those of agents inside it. */
  readonly #last: Map<string, number> = new Map();
  /** Entries of the log. */
  get length(): number {
    return this.entries.length;
  }

  get rows(): readonly ExchangeRow[] {
    return this.#rows;
  }

  add(entries: readonly Json[]): void {
    if (entries.length === 0) return;
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
    };
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

  #rowOf(exchange: KeptExchange, n: number): ExchangeRow {
    const { runId, step, attempt, startedAt, endedAt, method, url, status, ended, error, chunks, parent } = exchange;
    const { bodyBytes } = exchange;
    const conversation = `${exchange.agent}\n${parent === undefined ? "" : runId}\n${exchange.operation}`;
    const before = this.#last.get(conversation);
    this.#last.set(conversation, n);
    const sharedBytes = this.#sharedBytes(exchange, before, n);
    const first = chunks.find(({ text }) => text !== "");
    return {
      n,
      runId,
      step: step.name,
      turn: step.turn,
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
      ...tokensIn(chunks.map(({ text }) => text)),
    };
  }

  /** Bytes at the beginning that are those of the exchange before. */
  #sharedBytes({ base }: KeptExchange, before: number | undefined, n: number): number {
    if (before === undefined) return 0;
    if (base?.position === this.kept.exchanges[before]?.position) return base?.sharedBytes ?? 0;
    const [some, other] = [this.body(before), this.body(n)];
    return some === undefined || other === undefined ? 0 : sharedPrefix(some, other);
  }
}

/** Tokens that an answer says it was billed for: the last that it says. */
function tokensIn(texts: readonly string[]): Pick<ExchangeRow, "promptTokens" | "cachedTokens"> {
  // The counts stand at the end of an answer, so its last pieces are enough, unless one of them is short.
  let tail = "";
  for (let index = texts.length - 1; index >= 0 && !tail.includes('"usageMetadata"'); index--) {
    tail = (texts[index] ?? "") + tail;
    if (tail.length > 65_536) break;
  }
  const at = tail.lastIndexOf('"usageMetadata"');
  if (at === -1) return {};
  const usage = tail.slice(at);
  const prompt = /"promptTokenCount"\s*:\s*(\d{1,12})/.exec(usage)?.[1];
  const cached = /"cachedContentTokenCount"\s*:\s*(\d{1,12})/.exec(usage)?.[1];
  return {
    ...(prompt !== undefined && { promptTokens: Number(prompt) }),
    ...(cached !== undefined && { cachedTokens: Number(cached) }),
  };
}

function headersOf(headers: { readonly [name: string]: string }): readonly HeaderView[] {
  return Object.entries(headers).map(([name, value]): HeaderView => [name, value]);
}

function sharedPrefix(some: Uint8Array, other: Uint8Array): number {
  const length = Math.min(some.length, other.length);
  let at = 0;
  while (at < length && some[at] === other[at]) at++;
  return at;
}

/** UTF-16 length of the first bytes of a text, without the beginning of a character that they end in. */
function textLength(bytes: Uint8Array, length: number): number {
  let end = length;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, end)).length;
}
