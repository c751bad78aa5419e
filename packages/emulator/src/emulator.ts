import type { ListenOptions, RunningServer } from "@pollux/core/serving";
import { createHash } from "node:crypto";
import { NEEDS_NO_KEY } from "@pollux/core/wire";
import type { Brain } from "./brain/brain.ts";
import { ReplayedFailure } from "./brain/replayed-failure.ts";
import { createResponder } from "./create-responder.ts";
import type { EmulatorOptions } from "./emulator-options.ts";
import { googleError } from "./fault/error-body.ts";
import { type IncomingRequest, readRequest } from "./incoming-request.ts";
import { prettyJson } from "./internal/json.ts";
import { createInteractions } from "./interactions/answer-interactions.ts";
import { listen } from "./listen.ts";
import { type LoggedRequest, RequestLog } from "./request-log.ts";
import { modelInfo, modelsPage } from "./respond/models-answer.ts";
import { addCounts, estimateContent, estimateHead, type FileLookup, tokensInfo } from "./respond/estimate-tokens.ts";
import { answerHeaders } from "./respond/headers.ts";
import { refuse } from "./respond/refuse.ts";
import { replayAnswer } from "./respond/replay-answer.ts";
import { resourceResponse } from "./respond/resource-response.ts";
import { createResources } from "./resources.ts";
import { createSigner } from "./signatures.ts";
import { surfaceOf, validateRequest } from "./validate/contract.ts";
import { refuse as refusal } from "./validate/error-body.ts";
import { oversizeProblem } from "./validate/size.ts";
import { resolveSwitches } from "./validate/switches.ts";
import type { Accepted, SignatureBook } from "./validate/types.ts";

/** A local Gemini API: as strict as the service, and with the same wire format. */
export interface Emulator {
  /**
   * Answers a request like `fetch` would; nothing leaves the process. Pass it to a client as `fetch`. Relative URLs work, and the
   * host doesn't matter. A client with this `fetch` needs no key.
   *
   * @throws The reason of the request's signal once it aborts.
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** The latest 10,000 requests with at most 268,435,456 characters (256 Mi) in their bodies, oldest first. */
  readonly requests: readonly LoggedRequest[];
  /** Changes the brain, starting with the next request. */
  setBrain(brain: Brain): void;
  /** Serves HTTP. Default: on a free port of 127.0.0.1. */
  listen(options?: ListenOptions): Promise<RunningServer>;
}

/**
 * Creates an emulator; each has its own state (requests, script, files, caches).
 *
 * @example
 * ```ts
 * const { fetch } = createEmulator({ brain: improvise() }); // improvise from "@pollux/emulator/improvise"
 * const agent = new Agent({ model: gemini("gemini-flash-latest", { fetch }) }); // needs no key
 * ```
 */
export function createEmulator(options: EmulatorOptions = {}): Emulator {
  const { profile = "developer", seed = "pollux" } = options;
  const log = new RequestLog();
  const signer = createSigner(seed);
  const resources = createResources(options, profile, seed);
  let brain = options.brain ?? NO_BRAIN;
  const switches = resolveSwitches(options.strict);
  const { maxBodyBytes } = switches;
  const responder = createResponder({ options, profile, seed, signer, brain: () => brain });
  const answerInteractions = createInteractions(options, { profile, seed, signer, brain: () => brain });

  async function answer(incoming: IncomingRequest): Promise<Response> {
    const note = log.add(incoming);
    const noteEnd = (changes: Partial<LoggedRequest["answered"]>): void => {
      const entry = note.answered(changes);
      options.onAnswered?.(entry);
    };
    const format = {
      streamed: incoming.url.pathname.endsWith(":streamGenerateContent"),
      sse: incoming.url.searchParams.get("alt") === "sse",
    };
    if (incoming.oversized === true) {
      const found = oversizeProblem(maxBodyBytes, surfaceOf(profile, switches));
      noteEnd({ status: found.code ?? 400, rule: found.rule, complete: true });
      return refuse(refusal([found], { profile, stream: format.streamed, sse: format.sse }), format);
    }
    const signatures = brain.anySignature === true ? ANY_SIGNATURE : signer;
    const judged = validateRequest(incoming, resources.validateOptions(incoming, signatures));
    try {
      const interaction = await answerInteractions(incoming, note, noteEnd);
      if (interaction !== undefined) return interaction;
      if (!judged.ok || !CONTENT.has(judged.accepted.operation)) {
        const replayed = await replayAnswer(brain, incoming, { profile, options, note, noteEnd });
        if (replayed !== undefined) return replayed;
        const served = resources.answer(incoming, signatures);
        if (served !== undefined) return resourceResponse(served, profile, note, noteEnd);
      }
      if (!judged.ok) {
        noteEnd({ status: judged.refusal.status, rule: judged.refusal.rule, complete: true });
        return refuse(judged.refusal, format);
      }
      const { accepted } = judged;
      note.answered({ operation: accepted.operation, model: accepted.model.id });
      const fileOf = resources.fileOf(incoming);
      const plain = plainAnswer(accepted, incoming.url, fileOf);
      if (plain !== undefined) {
        noteEnd({ status: 200, complete: true });
        return new Response(prettyJson(plain), { headers: answerHeaders(profile) });
      }
      const digest = createHash("sha256").update(`${note.path}\n${incoming.body}`).digest("base64");
      return await responder.respond(accepted, {
        path: note.path,
        body: note.body,
        digest,
        fileOf,
        retrieve: resources.retrieve(incoming),
        signal: incoming.signal,
        note,
        noteEnd,
      });
    } catch (error) {
      if (incoming.signal.aborted || error instanceof ReplayedFailure) {
        noteEnd({ complete: false });
        throw error;
      }
      noteEnd({ status: 400, rule: "brain", complete: true });
      const message = error instanceof Error ? error.message : String(error);
      return refuse({ status: 400, body: prettyJson(googleError(400, "FAILED_PRECONDITION", message)) }, format);
    }
  }

  async function fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    const address = input instanceof Request ? input : new URL(input, "http://emulator.local");
    // The caller's own signal: the one a request derives from it is held weakly and may be collected while we wait.
    const signal = init?.signal ?? (input instanceof Request ? input.signal : new AbortController().signal);
    signal.throwIfAborted();
    return answer(await readRequest(new Request(address, init), signal, maxBodyBytes));
  }

  // Tells clients that they need no key.
  const emulatedFetch = Object.assign(fetch, { [NEEDS_NO_KEY]: true });
  const emulator: Emulator = {
    get requests() {
      return log.entries;
    },
    setBrain(next) {
      brain = next;
    },
    fetch: emulatedFetch,
    listen: (listenOptions) => listen(answer, maxBodyBytes, listenOptions),
  };
  return emulator;
}

/** Operations that a brain answers. */
const CONTENT: ReadonlySet<string> = new Set(["generateContent", "streamGenerateContent"]);

const NO_BRAIN: Brain = {
  answer() {
    throw new Error(
      "The emulator has no brain. createEmulator({ brain: improvise() }) makes up answers (import improvise from @pollux/emulator/improvise); script([…]) sends your own.",
    );
  },
};

const ANY_SIGNATURE: SignatureBook = { check: () => "issued" };

/** Answers operations that need no brain. */
function plainAnswer(
  { operation, request, model, cached }: Accepted,
  url: URL,
  fileOf: FileLookup,
): object | undefined {
  switch (operation) {
    case "listModels":
      return modelsPage(url.searchParams);
    case "getModel":
      return modelInfo(decodeURIComponent(url.pathname.slice(url.pathname.lastIndexOf("/") + 1)), model);
    case "countTokens": {
      const { total, details } = addCounts([
        estimateHead(request),
        ...request.contents.map((content) => estimateContent(content, fileOf)),
      ]);
      return {
        totalTokens: total,
        ...(cached && { cachedContentTokenCount: cached.tokens.total }),
        promptTokensDetails: details,
        ...(cached && { cacheTokensDetails: cached.tokens.details }),
      };
    }
    case "computeTokens":
      return { tokensInfo: tokensInfo(request.contents) };
    default:
      return undefined;
  }
}
