import { endpoint, type FetchLike, gemini, type GeminiModel, type GeminiOptions } from "@pollux/core";
import {
  createEmulator,
  type Emulator,
  type EmulatorOptions,
  type Fault,
  type FaultRequest,
  type FaultRule,
  type SlowFault,
} from "@pollux/emulator";
import { observed, type Proxy } from "./observed-transport.ts";

/** The default model of tests. */
export const MODEL = "gemini-3.8-flash";

/** An emulator behind its own socket. Close it with `await using`. */
export interface World extends AsyncDisposable {
  readonly emulator: Emulator;
  readonly url: string;
  /** Bodies of the requests of this world's models, as sent, oldest first. */
  readonly bodies: readonly string[];
  /** Bodies of the answers, as received. */
  readonly answers: readonly string[];
  /** The transport of this world's models. */
  readonly fetch: FetchLike;
  /** True once per silence, when the service has fallen silent for good and the client has read everything before. */
  readonly takeSilence: () => boolean;
  /** A model that sends its requests to this emulator, over a socket, without delays between attempts. */
  model(id?: string, options?: GeminiOptions): GeminiModel;
}

/** Starts an emulator on a free port of this machine. */
export async function openWorld(options: EmulatorOptions = {}, proxy: Proxy = {}): Promise<World> {
  const bodies: string[] = [];
  const answers: string[] = [];
  // The answers started before it, and whether it comes after the beginning of another one.
  let silence: { readonly answers: number; readonly follows: boolean } | undefined;
  const faults = options.faults?.map((rule): FaultRule => ({
    ...rule,
    at: (request) => {
      const isMet = isAt(rule, request);
      if (isMet && isForGood(rule.fault)) silence = { answers: answers.length, follows: rule.fault.afterChunks > 0 };
      return isMet;
    },
  }));
  const emulator = createEmulator({ ...options, faults });
  const server = await emulator.listen();

  const fetch = observed(bodies, answers, proxy);
  return {
    emulator,
    url: server.url,
    bodies,
    answers,
    fetch,
    takeSilence: () => {
      if (silence === undefined) return false;
      if (silence.follows && (answers.length === silence.answers || answers.at(-1) === "")) return false;
      silence = undefined;
      return true;
    },
    model: (id = MODEL, more = {}) =>
      gemini(id, {
        endpoint: endpoint({ baseUrl: server.url, apiKey: "emulator" }),
        fetch,
        retry: { minDelayMs: 1, maxDelayMs: 2 },
        ...more,
      }),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

function isAt({ at }: FaultRule, request: FaultRequest): boolean {
  if (typeof at === "function") return at(request);
  return typeof at === "number" ? at === request.number : at.includes(request.number);
}

function isForGood(fault: Fault): fault is SlowFault {
  return fault.kind === "slow" && fault.firstByteMs + fault.stallMs === Number.POSITIVE_INFINITY;
}

/** Numbers of requests the emulator refused, with the rules they broke. */
export function refusals(
  emulator: Emulator,
): readonly { readonly number: number; readonly rule: string | undefined }[] {
  return emulator.requests
    .filter(({ answered }) => answered.status >= 400)
    .map(({ number, answered }) => ({ number, rule: answered.rule }));
}
