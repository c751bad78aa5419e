import { ApiShapeError } from "../errors/api-errors.ts";
import type { GenerateContentResponse } from "./generate-content.ts";
import { parseAnswers } from "./parse.ts";
import type { Sent } from "./send.ts";
import { SseDecoder } from "./sse.ts";
import { embeddedError } from "./status-error.ts";

/** The chunks of one read from the network. */
export type AnswerBatch = readonly GenerateContentResponse[];

/** An answer that is being read. */
export interface AnswerStream {
  /** The chunks of the next read that completed any; undefined at the end of the body. One read at a time. */
  next(): Promise<AnswerBatch | undefined>;
  /** Ends the request and gives its connection back. May be called more than once. */
  close(): void;
}

/**
 * Body of a stream → chunks. Takes event streams and bare JSON, whatever the content type says. What came before an error is
 * handed out before the error is thrown.
 */
export class BodyStream implements AnswerStream {
  readonly #sent: Sent;
  readonly #decoder: SseDecoder;
  #first: AnswerBatch | undefined;
  #hasEvents = false;
  #failure: { readonly error: unknown } | undefined;
  #closed = false;

  constructor(sent: Sent, maxBufferBytes: number) {
    this.#sent = sent;
    this.#decoder = new SseDecoder({ maxBufferBytes });
  }

  /** Reads the first batch, which {@link BodyStream.next} then gives. Throws what that throws. */
  async open(): Promise<this> {
    this.#first = await this.next();
    return this;
  }

  /**
   * @throws {ApiStatusError} For an error object among the chunks.
   * @throws {ApiShapeError} For a chunk that is not as documented, and for a web page.
   */
  async next(): Promise<AnswerBatch | undefined> {
    const first = this.#first;
    this.#first = undefined;
    if (first !== undefined || this.#closed) return first;
    try {
      for (;;) {
        this.#throwFailure();
        const bytes = await this.#sent.exchange.read();
        const batch = this.#parse(bytes === undefined ? this.#decoder.end() : this.#decoder.push(bytes));
        if (bytes === undefined) this.#end();
        if (batch.length > 0) return batch;
        if (this.#closed) return undefined;
      }
    } catch (error) {
      const cleaned = this.#sent.clean(error);
      this.close();
      throw cleaned;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#sent.finish();
  }

  /** Chunks up to the first that is an error, which is kept for the next read. */
  #parse(texts: readonly string[]): AnswerBatch {
    if (texts.length === 0) return NONE;
    this.#hasEvents = true;
    const batch: GenerateContentResponse[] = [];
    try {
      for (const text of texts) {
        this.#sent.trace(text);
        for (const { response, error } of parseAnswers(text)) {
          if (response === undefined) throw embeddedError(error, this.#sent.failure);
          batch.push(response);
        }
      }
    } catch (error) {
      this.#failure = { error };
    }
    return batch;
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #end(): void {
    const leftover = this.#hasEvents ? "" : this.#decoder.leftover;
    if (leftover.startsWith("<")) {
      const said = "The answer is a web page, not a stream; check that the base URL is a Gemini API.";
      this.#failure = { error: new ApiShapeError(said, "$", leftover) };
    }
    // Chunks that the end completed are still to be handed out; their reader may not come back.
    if (this.#failure === undefined) this.close();
  }
}

const NONE: AnswerBatch = [];
