import type {
  Content,
  FunctionDeclaration,
  FunctionResponse,
  GenerateContentRequest,
  GroundingChunk,
  Part,
} from "@pollux/core/wire";
import type { ModelFacts } from "../catalog/model-facts.ts";
import { createRandom, type Random } from "../internal/random.ts";
import type { UploadedFile } from "../files/file-options.ts";
import type { Profile } from "../validate/types.ts";
import type { Answer } from "./answer.ts";
import type { Retrieve } from "../file-search/retrieve.ts";
import type { ReplayRequest } from "./fit-exchange.ts";

/** A valid request, prepared for a brain. */
export interface BrainTurn {
  /** 1 for the first request passed to a brain. */
  readonly number: number;
  /** The normalized request: camelCase, with roles filled in. */
  readonly request: GenerateContentRequest;
  /** The parsed body as received. */
  readonly raw: unknown;
  readonly model: ModelFacts;
  readonly profile: Profile;
  readonly streamed: boolean;
  /** Path and query, without keys. */
  readonly path: string;
  /** Text of the latest user content that is neither function responses nor a note on them, such as `[edited] …`. */
  readonly prompt: string;
  /** Function responses that arrived with this request. */
  readonly responses: readonly FunctionResponse[];
  /** Contents since that user content: calls made and answered in the current turn. */
  readonly sincePrompt: readonly Content[];
  /** Declared functions that may be called: none in mode `NONE`, the allowed ones in mode `ANY`. */
  readonly functions: readonly FunctionDeclaration[];
  /** Files API files that the request refers to, each once. */
  readonly files: readonly UploadedFile[];
  /** Searches the stores that `fileSearch` of the request names. */
  readonly retrieve: (question: string) => readonly GroundingChunk[];
  /** Deterministic: seeded by the emulator's seed and the number of the request. */
  readonly random: Random;
  readonly signal: AbortSignal;
}

/** Writes the model's answers. The emulator reports an error that a brain throws as a 400 with its message. */
export interface Brain {
  /** True for recorded traffic, whose signatures another server issued. Default: false; only this emulator's own signatures are valid. */
  readonly anySignature?: boolean | undefined;
  answer(turn: BrainTurn): Answer | Promise<Answer>;
  /**
   * Answers a request that doesn't become a turn: an invalid one, or one that doesn't generate content. If it returns undefined,
   * the emulator answers as usual.
   */
  replay?(request: ReplayRequest, signal: AbortSignal): Promise<Answer | undefined>;
}

/** Input of {@link createTurn}. */
export interface TurnFacts {
  readonly number: number;
  /** The normalized request: camelCase, with roles filled in. */
  readonly request: GenerateContentRequest;
  /** The parsed body as received. */
  readonly raw: unknown;
  readonly model: ModelFacts;
  readonly profile: Profile;
  readonly streamed: boolean;
  readonly path: string;
  readonly seed: string;
  /** Default: none. */
  readonly files?: readonly UploadedFile[] | undefined;
  /** Default: finds nothing. */
  readonly retrieve?: Retrieve | undefined;
  readonly signal: AbortSignal;
}

/** Prepares a request for a brain. */
export function createTurn(facts: TurnFacts): BrainTurn {
  const { seed, files = [], retrieve, ...rest } = facts;
  const { contents } = facts.request;
  const isAside = (content: Content, index: number): boolean =>
    isPurelyResponses(content) || isNote(content, contents[index - 1]);
  const promptAt = contents.findLastIndex((content, index) => content.role !== "model" && !isAside(content, index));
  const responsesAt = contents.findLastIndex((content, index) => !isNote(content, contents[index - 1]));
  return {
    ...rest,
    prompt: (contents[promptAt]?.parts ?? [])
      .map((part) => part.text ?? "")
      .join("\n")
      .trim(),
    responses: responsesOf(contents[responsesAt]?.parts ?? []),
    sincePrompt: contents.slice(promptAt + 1),
    functions: callableFunctions(facts.request),
    files,
    retrieve: (question) => retrieve?.(facts.request, question) ?? [],
    random: createRandom(`${seed} ${facts.number}`),
  };
}

function isPurelyResponses(content: Content): boolean {
  return content.parts.length > 0 && content.parts.every((part) => part.functionResponse !== undefined);
}

/** True for a client's note on the function responses before it, such as `[edited] the user changed the arguments`. */
function isNote({ role, parts }: Content, before: Content | undefined): boolean {
  if (role === "model" || before === undefined || !isPurelyResponses(before)) return false;
  return parts.length > 0 && parts.every(({ text }) => text !== undefined && /^\[[a-z]+\] /.test(text));
}

function responsesOf(parts: readonly Part[]): FunctionResponse[] {
  return parts.flatMap((part) => part.functionResponse ?? []);
}

function callableFunctions(request: GenerateContentRequest): FunctionDeclaration[] {
  const { mode, allowedFunctionNames } = request.toolConfig?.functionCallingConfig ?? {};
  if (mode?.toUpperCase() === "NONE") return [];
  const declared = (request.tools ?? []).flatMap((tool) => tool.functionDeclarations ?? []);
  if (allowedFunctionNames === undefined || allowedFunctionNames.length === 0) return declared;
  return declared.filter((declaration) => allowedFunctionNames.includes(declaration.name));
}
