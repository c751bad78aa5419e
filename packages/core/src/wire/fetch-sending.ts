import type { AnswerHead, FetchLike, HttpRequest, Sending } from "./sending.ts";

/** Sends by a `fetch`, which need not listen to its signal. */
export class FetchSending implements Sending {
  readonly head: Promise<AnswerHead>;
  readonly #controller = new AbortController();
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #rejectHead: (reason: unknown) => void = ignore;

  constructor(request: HttpRequest, fetch: FetchLike) {
    this.head = new Promise((resolve, reject) => {
      this.#rejectHead = reject;
      this.#send(request, fetch).then(resolve, reject);
    });
  }

  async read(): Promise<Uint8Array | undefined> {
    return (await this.#reader?.read())?.value;
  }

  cancel(reason?: unknown): void {
    this.#rejectHead(reason);
    this.#controller.abort(reason);
    // Settles a read that waits, also when the body does not know about the signal.
    this.#reader?.cancel().catch(ignore);
  }

  async #send({ method, url, headers, body, lent }: HttpRequest, fetch: FetchLike): Promise<AnswerHead> {
    const { signal } = this.#controller;
    const init: RequestInit = { method, headers, redirect: "manual", signal };
    // Nobody knows for how long a fetch, or whoever watches it, holds on to a body.
    if (body) init.body = lent === true ? body.slice() : body;
    const response = await fetch(url, init);
    // Nobody will read what comes too late.
    if (signal.aborted) response.body?.cancel().catch(ignore);
    else this.#reader = response.body?.getReader();
    const { status } = response;
    return {
      status,
      headers: response.headers,
      redirected: response.type === "opaqueredirect" || (status >= 300 && status < 400),
    };
  }
}

function ignore(): void {}
