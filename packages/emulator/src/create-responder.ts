import { createHmac } from "node:crypto";
import type { Answer } from "./brain/answer.ts";
import { type Brain, type BrainTurn, createTurn } from "./brain/brain.ts";
import { framesOf } from "./brain/replay.ts";
import { createContinuations, type Remainder } from "./continuation.ts";
import type { EmulatorOptions } from "./emulator-options.ts";
import { googleError } from "./fault/error-body.ts";
import { emptyStop } from "./fault/answer-faults.ts";
import { type Fault, findFault, type StatusFault } from "./fault/fault.ts";
import type { UploadedFile } from "./files/file-options.ts";
import { filesIn } from "./files/files-in.ts";
import { prettyJson } from "./internal/json.ts";
import { createRandom } from "./internal/random.ts";
import { wait } from "./internal/wait.ts";
import type { LoggedRequest, Note } from "./request-log.ts";
import { applyAnswerFault } from "./respond/apply-answer-fault.ts";
import { buildResponse, type Checkpoints } from "./respond/build-response.ts";
import { deliver } from "./respond/deliver.ts";
import { type FramedBody, frameArray, frameEvents, frameUnary, type Framing } from "./respond/framing.ts";
import { answerHeaders } from "./respond/headers.ts";
import { PromptCache, withCachedTokens } from "./respond/prompt-cache.ts";
import { refuse } from "./respond/refuse.ts";
import { remaining, takeHop } from "./respond/take-hop.ts";
import type { Retrieve } from "./file-search/retrieve.ts";
import type { Signer } from "./signatures.ts";
import type { Accepted, Profile } from "./validate/types.ts";

const MAX_UNDELIVERED = 1000;
const UNARY_HOP_TOKENS = 32_768;
const STREAM_HOP_TOKENS = 65_536;
const CHECKPOINT_EVERY = 8;

/** The state and settings that the responder needs. */
export interface ResponderContext {
  readonly options: EmulatorOptions;
  readonly profile: Profile;
  readonly seed: string;
  readonly signer: Signer;
  brain(): Brain;
}

/** One request while it is being answered. */
export interface Incoming {
  readonly path: string;
  readonly body: unknown;
  /** The same for requests with the same path and bytes. */
  readonly digest: string;
  /** Finds the caller's files. Default: there are none. */
  readonly fileOf?: ((fileUri: string) => UploadedFile | undefined) | undefined;
  /** Searches the caller's documents. Default: there are none. */
  readonly retrieve?: Retrieve | undefined;
  readonly signal: AbortSignal;
  readonly note: Note;
  readonly noteEnd: (changes: Partial<LoggedRequest["answered"]>) => void;
}

/** Answers valid requests. */
export interface Responder {
  respond(accepted: Accepted, incoming: Incoming): Promise<Response>;
}

type Refused = Omit<StatusFault, "kind" | "contentType"> & Partial<Pick<StatusFault, "contentType">>;

/** Creates a responder, which asks the brain, applies faults, and writes the answer in the wire format. */
export function createResponder(context: ResponderContext): Responder {
  const { options, profile, seed, signer } = context;
  const cache = new PromptCache(options.caches?.implicitMinTokens);
  const continuations = createContinuations(seed);
  const framing: Framing = { lf: profile === "comet", ...options.framing };
  // Answers that a fault kept from the client. A retry of the same request gets the same answer, not the next one.
  const undelivered = new Map<string, Answer>();
  let count = 0;

  async function answerOf(
    turn: BrainTurn,
    digest: string,
    fault: Fault | undefined,
    rest: Remainder | undefined,
  ): Promise<Answer> {
    if (fault?.kind === "answer") return fault.replace(turn);
    if (rest !== undefined) return rest.answer;
    const answer = undelivered.get(digest) ?? (await context.brain().answer(turn));
    undelivered.delete(digest);
    if (fault !== undefined && undelivered.size < MAX_UNDELIVERED) undelivered.set(digest, answer);
    return answer;
  }

  function frame(
    given: Answer,
    accepted: Accepted,
    turn: BrainTurn,
    fault: Fault | undefined,
    resumed: Remainder | undefined,
  ): FramedBody {
    if (given.recorded !== undefined) {
      return { ...frameEvents([], framing), frames: framesOf(given.recorded.body) };
    }
    const { model } = turn;
    const spent = resumed?.spent ?? 0;
    const hopTokens =
      options.longDecode?.hopTokens ??
      (turn.streamed ? STREAM_HOP_TOKENS : (model.unaryTokenLimit ?? UNARY_HOP_TOKENS));
    const { answer, rest } = model.longDecode
      ? takeHop(given, turn, { hopTokens, spent })
      : { answer: given, rest: undefined };
    const hasMore =
      model.longDecode && (answer.finishReason === "CONTINUATION" || answer.finishReason === "MAX_TOKENS");
    const every = options.longDecode?.checkpointEvery ?? CHECKPOINT_EVERY;
    const checkpoints: Checkpoints = {
      every,
      issue: (left, tokens) =>
        continuations.issue(accepted.raw, {
          answer: remaining(given, [...left, ...(rest?.answer.parts ?? [])], rest?.answer.thoughtTokens ?? 0),
          spent: spent + tokens,
        }),
    };
    const built = buildResponse(answer, {
      turn,
      signer,
      cost: withCachedTokens(
        cache.measure(accepted.request, accepted.raw, turn.model, (uri) => turn.files.find((file) => file.uri === uri)),
        accepted.cached?.tokens,
      ),
      responseId: createHmac("sha256", seed)
        .update(`response ${turn.number}`)
        .digest()
        .subarray(0, 17)
        .toString("base64url"),
      createTime: (options.now?.() ?? new Date()).toISOString(),
      deltaCharacters: Math.max(2, options.deltaCharacters ?? 32),
      largeSignatures: options.largeSignatures ?? true,
      continuationToken: hasMore ? continuations.issue(accepted.raw, rest) : undefined,
      resumed: resumed !== undefined,
      checkpoints: model.longDecode && every > 0 ? checkpoints : undefined,
    });
    const chunks = fault?.kind === "answer" ? applyAnswerFault(built, fault) : [...built];
    if (fault?.kind === "usage-chunk" && turn.streamed) {
      const { candidates: _candidates, ...usageOnly } = chunks[0] ?? {};
      chunks.splice(Math.min(fault.afterChunks, chunks.length - 1), 0, usageOnly);
    }
    if (!turn.streamed) return frameUnary(chunks[0]);
    return accepted.sse ? frameEvents(chunks, framing) : frameArray(chunks);
  }

  return {
    async respond(accepted, { path, body, digest, fileOf, retrieve, signal, note, noteEnd }) {
      count += 1;
      const number = count;
      const { model, request, sse } = accepted;
      const streamed = accepted.operation === "streamGenerateContent";
      const format = { streamed, sse };
      const files = fileOf ? filesIn(request.contents, fileOf) : [];
      const turn = createTurn({
        number,
        request,
        raw: accepted.raw,
        model,
        profile,
        streamed,
        path,
        seed,
        files,
        retrieve,
        signal,
      });
      const refuseWith = ({ status, rule, body: text, contentType, headers, modelText }: Refused): Response => {
        noteEnd({ status, rule, complete: true });
        const named = modelText === undefined ? text : text.replaceAll(modelText, model.id);
        return refuse({ status, body: named, headers }, format, contentType);
      };

      // Recorded traffic is not validated.
      const isReplay = context.brain().anySignature === true;
      const ruled =
        accepted.mismatched && !isReplay
          ? emptyStop()
          : findFault(options.faults ?? [], { number, path, streamed, body });
      await wait((options.delays?.firstByteMs ?? 0) + (ruled?.kind === "slow" ? ruled.firstByteMs : 0), signal);
      if (ruled?.kind === "status") return refuseWith(ruled);
      const continued = isReplay ? undefined : continuations.resume(accepted.raw);
      if (continued === "stale" && options.strict?.guesses !== false) {
        const message = "The continuation token does not belong to this request.";
        const text = prettyJson(googleError(400, "INVALID_ARGUMENT", message));
        return refuseWith({ status: 400, rule: "continuation", body: text });
      }

      const resumed = continued === "stale" ? undefined : continued;
      let answer = await answerOf(turn, digest, ruled, resumed);
      signal.throwIfAborted();
      const fault = ruled ?? answer.fault;
      if (ruled === undefined && fault?.kind === "answer") answer = fault.replace(turn);
      if (fault?.kind === "misbehavior") answer = fault.change(answer, turn);
      if (options.callIds === false) answer = { callIds: false, ...answer };
      if (ruled === undefined && fault?.kind === "slow") await wait(fault.firstByteMs, signal);
      if (fault?.kind === "status") return refuseWith(fault);
      if (fault?.kind === "stream-error" && !streamed) return refuseWith({ ...fault, body: prettyJson(fault.data) });

      const { recorded } = answer;
      const status = recorded?.status ?? 200;
      note.answered({ status, rule: fault?.rule });
      const stream = deliver({
        body: frame(answer, accepted, turn, fault, resumed),
        signal,
        chunkMs: streamed ? (options.delays?.chunkMs ?? 0) : 0,
        fault,
        split: framing.splitBytes === true ? createRandom(`${seed} bytes ${number}`) : undefined,
        onEnd: (complete) => {
          if (complete) undelivered.delete(digest);
          noteEnd({ complete });
        },
      });
      const contentType = recorded?.contentType ?? (streamed && sse ? "text/event-stream" : undefined);
      return new Response(stream, {
        status,
        headers: { ...answerHeaders(profile, contentType), ...recorded?.headers },
      });
    },
  };
}
