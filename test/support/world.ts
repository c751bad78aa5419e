import { endpoint, gemini, type GeminiModel, type GeminiOptions } from "@pollux/core";
import { createEmulator, type Emulator, type EmulatorOptions } from "@pollux/emulator";
import { OVER_NODE, observedTransport } from "./observed-transport.ts";

/** The model that is used where a test does not care. */
export const MODEL = "gemini-3.8-flash";

/** An emulator behind a socket of its own. Close it with `await using`. */
export interface World extends AsyncDisposable {
  readonly emulator: Emulator;
  readonly url: string;
  /** Bodies of the requests made by this world's models, as they were sent, oldest first. */
  readonly bodies: readonly string[];
  /** Bodies of the answers, as they were received. */
  readonly answers: readonly string[];
  /** A model that sends its requests to this emulator, over a socket, and loses no time between attempts. */
  model(id?: string, options?: GeminiOptions): GeminiModel;
}

/** Changes traffic on its way, like a proxy. */
export interface Proxy {
  readonly request?: (body: string) => string;
  readonly answer?: (body: string) => string;
}

/** Starts an emulator on a free port of this machine. */
export async function openWorld(options: EmulatorOptions = {}, proxy: Proxy = {}): Promise<World> {
  const emulator = createEmulator(options);
  const server = await emulator.listen();
  const bodies: string[] = [];
  const answers: string[] = [];

  async function observedFetch(input: string, init: RequestInit): Promise<Response> {
    const body = new TextDecoder().decode(init.body as Uint8Array);
    bodies.push(body);
    const response = await fetch(input, proxy.request === undefined ? init : { ...init, body: proxy.request(body) });
    const index = answers.push("") - 1;
    const decoder = new TextDecoder();
    const encoder = new TextEncoder();
    const watch = new TransformStream<Uint8Array, Uint8Array>({
      transform(bytes, controller) {
        const text = decoder.decode(bytes, { stream: true });
        const changed = proxy.answer === undefined ? text : proxy.answer(text);
        answers[index] += changed;
        controller.enqueue(proxy.answer === undefined ? bytes : encoder.encode(changed));
      },
    });
    return new Response(response.body?.pipeThrough(watch) ?? null, response);
  }

  const overNode = OVER_NODE && proxy.request === undefined && proxy.answer === undefined;
  return {
    emulator,
    url: server.url,
    bodies,
    answers,
    model: (id = MODEL, more = {}) =>
      gemini(id, {
        endpoint: endpoint({ baseUrl: server.url, apiKey: "emulator" }),
        fetch: overNode ? observedTransport(bodies, answers) : observedFetch,
        retry: { minDelayMs: 1, maxDelayMs: 2 },
        ...more,
      }),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

/** Numbers of requests the emulator refused, with the rules they broke. */
export function refusals(
  emulator: Emulator,
): readonly { readonly number: number; readonly rule: string | undefined }[] {
  return emulator.requests
    .filter(({ answered }) => answered.status >= 400)
    .map(({ number, answered }) => ({ number, rule: answered.rule }));
}
