import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Emulator } from "@pollux/emulator";
import { toNodeHandler } from "@pollux/web/node";
import { type Deferred, deferred } from "../../../packages/core/test/helpers/deferred.ts";

/**
 * Serves an emulator, and holds its answers midway until a test releases them, so that tests of unfinished answers don't depend on the
 * machine's speed. Close it with `await using`.
 */
export class AnswerGate implements AsyncDisposable {
  readonly #server: Server;
  #mark: string | undefined;
  #change: Deferred<void> = deferred();

  private constructor(emulator: Emulator) {
    this.#server = createServer(
      toNodeHandler(async (request) => {
        const response = await emulator.fetch(request, { signal: request.signal });
        if (response.body === null) return response;
        return new Response(response.body.pipeThrough(this.#held()), response);
      }),
    );
  }

  static async open(emulator: Emulator): Promise<AnswerGate> {
    const gate = new AnswerGate(emulator);
    gate.#server.listen(0, "127.0.0.1");
    await once(gate.#server, "listening");
    return gate;
  }

  get url(): string {
    // A server that listens on a port has one.
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Lets all answers through up to a text, including held ones, until the next call. */
  hold(mark: string): void {
    this.#set(mark);
  }

  /** Lets all answers through. */
  release(): void {
    this.#set(undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }

  #set(mark: string | undefined): void {
    this.#mark = mark;
    this.#change.resolve();
    this.#change = deferred();
  }

  #held(): TransformStream<Uint8Array, Uint8Array> {
    const decoder = new TextDecoder();
    let passed = "";
    return new TransformStream({
      transform: async (piece, controller) => {
        controller.enqueue(piece);
        passed += decoder.decode(piece, { stream: true });
        while (this.#mark !== undefined && textsOf(passed).includes(this.#mark)) await this.#change.promise;
      },
    });
  }
}

/** The joined text of an answer's chunks. */
function textsOf(stream: string): string {
  return Array.from(stream.matchAll(/"text":\s*"((?:[^"\\]|\\.)*)"/g), ([, text]) => text).join("");
}
