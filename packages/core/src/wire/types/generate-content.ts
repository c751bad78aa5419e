import type { Content, Fields, JsonObject, Part, Texts, Word } from "./content.ts";
import type { JsonSchema, ToolConfig, WireTool } from "./declaration.ts";

/** How likely one kind of harm must be for the service to withhold an answer. @see https://ai.google.dev/api/generate-content#v1beta.SafetySetting */
export interface SafetySetting {
  readonly category: HarmCategory;
  readonly threshold: HarmBlockThreshold;
  /** `SEVERITY` or `PROBABILITY`. Vertex only. */
  readonly method?: string | undefined;
}

/** How much the model thinks, and whether it shows that. @see https://ai.google.dev/api/generate-content#ThinkingConfig */
export interface ThinkingConfig {
  /** Return thought summaries as parts with `thought: true`. */
  readonly includeThoughts?: boolean | undefined;
  /** Tokens; -1 lets the model decide, 0 switches thinking off. Gemini 2.5. */
  readonly thinkingBudget?: number | undefined;
  /** `MINIMAL`, `LOW`, `MEDIUM`, `HIGH`, or `xhigh`. Gemini 3 and newer. */
  readonly thinkingLevel?: string | undefined;
}

/** How the model generates an answer: sampling, length, format, thinking. @see https://ai.google.dev/api/generate-content#v1beta.GenerationConfig */
export interface GenerationConfig {
  /** 0 to 2. No effect from Gemini 3.6 on. */
  readonly temperature?: number | undefined;
  /** 0 to 1. */
  readonly topP?: number | undefined;
  /** Draws the next token from this many of the likeliest tokens. No effect on models that don't support it. */
  readonly topK?: number | undefined;
  readonly candidateCount?: number | undefined;
  /** Tokens, thoughts included. */
  readonly maxOutputTokens?: number | undefined;
  /** At most five. */
  readonly stopSequences?: readonly string[] | undefined;
  /** Any 32-bit integer; 0 is valid. */
  readonly seed?: number | undefined;
  /** Penalizes tokens that already appeared. On Gemini 2.5, Vertex only. */
  readonly presencePenalty?: number | undefined;
  /** Penalizes tokens by how often they appeared. On Gemini 2.5, Vertex only. */
  readonly frequencyPenalty?: number | undefined;
  /** Request log probabilities, returned in the candidate's `logprobsResult`. Not on the Developer API. @defaultValue false */
  readonly responseLogprobs?: boolean | undefined;
  /** Alternatives for each token, 0 to 20; requires `responseLogprobs`. */
  readonly logprobs?: number | undefined;
  readonly responseMimeType?: string | undefined;
  readonly responseSchema?: JsonSchema | undefined;
  readonly responseJsonSchema?: JsonSchema | undefined;
  readonly responseModalities?: readonly string[] | undefined;
  readonly mediaResolution?: string | undefined;
  /** For models that generate speech. */
  readonly speechConfig?: SpeechConfig | undefined;
  readonly thinkingConfig?: ThinkingConfig | undefined;
  /** For models that generate images. */
  readonly imageConfig?: ImageConfig | undefined;
  /** For models that transcribe. Languages are in BCP 47. `SMART` leaves out fillers, has no timestamps, and can edit `sourceText` as instructed. */
  readonly audioTranscriptionConfig?:
    | (Fields<Record<"languageCodes" | "customVocabulary", readonly string[]>> &
        Fields<Record<"wordTimestamp" | "diarization", boolean>> &
        Fields<{ mode: Word<"VERBATIM" | "SMART">; sourceText: string }>)
    | undefined;
}

/** Instructions: text parts only; the role is ignored. */
export interface SystemInstruction {
  readonly role?: string | undefined;
  readonly parts: readonly Part[];
}

/** Body of `generateContent` and `streamGenerateContent`. @see https://ai.google.dev/api/generate-content#request-body */
export interface GenerateContentRequest extends Texts<"cachedContent" | "serviceTier" | "continuationToken"> {
  readonly systemInstruction?: SystemInstruction | undefined;
  readonly tools?: readonly WireTool[] | undefined;
  readonly contents: readonly Content[];
  readonly toolConfig?: ToolConfig | undefined;
  /** At most one per category; other categories are left to the service. */
  readonly safetySettings?: readonly SafetySetting[] | undefined;
  readonly generationConfig?: GenerationConfig | undefined;
  /** `false` asks the service not to keep the request and its answer. Developer API only. @defaultValue the project's setting */
  readonly store?: boolean | undefined;
  /** Names and values for billing reports. */
  readonly labels?: { readonly [key: string]: string } | undefined;
  /** Where the service puts generated media: `{ outputUriPrefix: "gs://bucket/folder/" }`. They arrive as `fileData`. Vertex only. */
  readonly outputConfig?: { readonly outputUriPrefix: string } | undefined;
}

/** Tokens of one modality. */
export type ModalityTokenCount = Fields<{ modality: string; tokenCount: number }>;

/** Tokens of a response. `totalTokenCount` is the sum; zero fields are absent. @see https://ai.google.dev/api/generate-content#UsageMetadata */
export interface UsageMetadata {
  /** Includes cached tokens. */
  readonly promptTokenCount?: number | undefined;
  readonly rawPromptTokenCount?: number | undefined;
  readonly cachedContentTokenCount?: number | undefined;
  readonly candidatesTokenCount?: number | undefined;
  readonly thoughtsTokenCount?: number | undefined;
  readonly toolUsePromptTokenCount?: number | undefined;
  readonly totalTokenCount?: number | undefined;
  readonly promptTokensDetails?: readonly ModalityTokenCount[] | undefined;
  readonly cacheTokensDetails?: readonly ModalityTokenCount[] | undefined;
  readonly candidatesTokensDetails?: readonly ModalityTokenCount[] | undefined;
  readonly toolUsePromptTokensDetails?: readonly ModalityTokenCount[] | undefined;
  readonly serviceTier?: string | undefined;
  readonly trafficType?: string | undefined;
}

/** One grounding chunk; exactly one of the kinds is set. */
export interface GroundingChunk {
  readonly web?: Texts<"uri" | "title" | "domain"> | undefined;
  readonly image?: Texts<"sourceUri" | "imageUri" | "title" | "domain"> | undefined;
  readonly maps?: (Texts<"uri" | "title" | "text" | "placeId"> & MapsAnswer) | undefined;
  readonly retrievedContext?:
    | (Texts<"uri" | "title" | "text" | "fileSearchStore" | "documentName"> & RetrievedPlace)
    | undefined;
}

type MapsAnswer = Fields<{
  placeAnswerSources: Texts<"flagContentUri"> & Fields<{ reviewSnippets: readonly JsonObject[] }>;
  route: Texts<"duration" | "encodedPolyline"> & Fields<{ distanceMeters: number }>;
}>;

/** Place in a document of File Search: `mediaId` is like `fileSearchStores/{store}/media/{blob}`. Vertex RAG has `ragChunk`. */
type RetrievedPlace = Texts<"mediaId"> &
  Fields<{
    pageNumber: number;
    customMetadata: readonly (Texts<"key" | "stringValue"> &
      Fields<{ numericValue: number; stringListValue: Fields<{ values: readonly string[] }> }>)[];
    ragChunk: Texts<"text" | "chunkId" | "fileId"> &
      Fields<{ pageSpan: Fields<Record<"firstPage" | "lastPage", number>> }>;
  }>;

/** A range of the answer that sources support. Offsets are UTF-8 bytes over the visible text, end exclusive; zero is absent. */
export interface GroundingSupport {
  readonly segment?: Fields<{ partIndex: number; startIndex: number; endIndex: number; text: string }> | undefined;
  readonly groundingChunkIndices?: readonly number[] | undefined;
  readonly confidenceScores?: readonly number[] | undefined;
  /** Indices of {@link GroundingMetadata.renderedParts}. */
  readonly renderedParts?: readonly number[] | undefined;
}

/** The basis of an answer: searches, and their results. @see https://ai.google.dev/api/generate-content#GroundingMetadata */
export interface GroundingMetadata {
  readonly webSearchQueries?: readonly string[] | undefined;
  readonly imageSearchQueries?: readonly string[] | undefined;
  readonly retrievalQueries?: readonly string[] | undefined;
  /** The terms of use require `renderedContent` (HTML and CSS) to be shown next to grounded answers. */
  readonly searchEntryPoint?: Texts<"renderedContent" | "sdkBlob"> | undefined;
  readonly groundingChunks?: readonly GroundingChunk[] | undefined;
  readonly groundingSupports?: readonly GroundingSupport[] | undefined;
  readonly renderedParts?: readonly unknown[] | undefined;
}

/** The pages that the service read for an answer, each with its status. @see https://ai.google.dev/api/generate-content#UrlContextMetadata */
export interface UrlContextMetadata {
  readonly urlMetadata?: readonly Texts<"retrievedUrl" | "urlRetrievalStatus">[] | undefined;
}

/** One candidate; in a stream, one chunk's addition to it. Every field can be absent. */
export interface Candidate extends Fields<{ finishMessage: string; index: number; tokenCount: number }> {
  readonly content?: { readonly role?: string | undefined; readonly parts?: readonly Part[] | undefined } | undefined;
  /** Absent on all but the last chunk. New values appear with every release: see {@link https://ai.google.dev/api/generate-content#FinishReason}. */
  readonly finishReason?: string | undefined;
  readonly safetyRatings?: readonly SafetyRating[] | undefined;
  readonly citationMetadata?: CitationMetadata | undefined;
  readonly groundingMetadata?: GroundingMetadata | undefined;
  readonly urlContextMetadata?: UrlContextMetadata | undefined;
  /** Mean of the log probabilities of the chosen tokens. Vertex and gateways in front of it send it unasked. */
  readonly avgLogprobs?: number | undefined;
  readonly logprobsResult?: LogprobsResult | undefined;
  /** Vertex only; undocumented. */
  readonly score?: number | undefined;
  /** Gemini 4: send the same request again with this token to continue the answer. */
  readonly continuationToken?: string | undefined;
}

/** Why a prompt was refused. */
export interface PromptFeedback extends Texts<"blockReason" | "blockReasonMessage"> {
  readonly safetyRatings?: readonly SafetyRating[] | undefined;
}

/** Answer of `generateContent`, or a chunk of one. @see https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse */
export interface GenerateContentResponse extends Texts<"modelVersion" | "responseId" | "createTime"> {
  readonly candidates?: readonly Candidate[] | undefined;
  readonly promptFeedback?: PromptFeedback | undefined;
  readonly usageMetadata?: UsageMetadata | undefined;
  /** Whether the model is stable, and until when it is offered (RFC 3339). */
  readonly modelStatus?: Texts<"modelStage" | "retirementTime" | "message"> | undefined;
}

/** How likely an answer or a prompt is one kind of harm. @see https://ai.google.dev/api/generate-content#v1beta.SafetyRating */
export interface SafetyRating {
  /** Such as `HARM_CATEGORY_HARASSMENT`. */
  readonly category?: string | undefined;
  /** `NEGLIGIBLE`, `LOW`, `MEDIUM`, `HIGH`, or a newer value. */
  readonly probability?: string | undefined;
  /** True for the rating that made the service withhold something. */
  readonly blocked?: boolean | undefined;
  /** 0 to 1. Vertex only, as are the next two. */
  readonly probabilityScore?: number | undefined;
  readonly severity?: string | undefined;
  readonly severityScore?: number | undefined;
  /** The threshold that replaced the request's, because a minor may be in the picture. Vertex. */
  readonly overwrittenThreshold?: string | undefined;
}

/** A quotation in the answer's text; offsets are UTF-8 bytes. @see https://ai.google.dev/api/generate-content#CitationMetadata */
export interface CitationSource extends Texts<"uri" | "title">, Fields<Record<"startIndex" | "endIndex", number>> {
  /** License of the quoted work, such as that of a code repository. */
  readonly license?: string | undefined;
  /** Zero members are unknown. */
  readonly publicationDate?: Fields<Record<"year" | "month" | "day", number>> | undefined;
}

/** Quotations in an answer: `citationSources` on the Developer API and CometAPI, `citations` on Vertex. */
export interface CitationMetadata {
  readonly citationSources?: readonly CitationSource[] | undefined;
  readonly citations?: readonly CitationSource[] | undefined;
}

/** A token and its log probability. */
export type LogprobsCandidate = Fields<{ token: string; tokenId: number; logProbability: number }>;

/** Log probabilities of an answer, one entry for each decoding step. @see https://ai.google.dev/api/generate-content#LogprobsResult */
export interface LogprobsResult {
  readonly chosenCandidates?: readonly LogprobsCandidate[] | undefined;
  readonly topCandidates?: readonly { readonly candidates?: readonly LogprobsCandidate[] | undefined }[] | undefined;
  readonly logProbabilitySum?: number | undefined;
}

/** A kind of harm. `HARM_CATEGORY_CIVIC_INTEGRITY` is deprecated; only Vertex has categories for images. */
export type HarmCategory = Word<
  | "HARM_CATEGORY_HARASSMENT"
  | "HARM_CATEGORY_HATE_SPEECH"
  | "HARM_CATEGORY_SEXUALLY_EXPLICIT"
  | "HARM_CATEGORY_DANGEROUS_CONTENT"
  | "HARM_CATEGORY_CIVIC_INTEGRITY"
  | "HARM_CATEGORY_JAILBREAK"
>;

/** How likely harm must be for the service to withhold an answer. Neither `BLOCK_NONE` nor `OFF` lets prohibited content through. */
export type HarmBlockThreshold = Word<
  "BLOCK_LOW_AND_ABOVE" | "BLOCK_MEDIUM_AND_ABOVE" | "BLOCK_ONLY_HIGH" | "BLOCK_NONE" | "OFF"
>;

/** How many tokens an image or a video frame takes. */
export type MediaResolution = "MEDIA_RESOLUTION_LOW" | "MEDIA_RESOLUTION_MEDIUM" | "MEDIA_RESOLUTION_HIGH";

/** A kind of output. */
export type Modality = Word<"TEXT" | "IMAGE" | "AUDIO" | "VIDEO">;

/** How generated images look. */
export interface ImageConfig {
  /** Width to height, such as `16:9`. @defaultValue the model's choice */
  readonly aspectRatio?: string | undefined;
  /** Length of the longer side. @defaultValue the model's own */
  readonly imageSize?: "512" | "1K" | "2K" | "4K" | undefined;
  /** Vertex, as are the next two. */
  readonly personGeneration?: Word<"ALLOW_ALL" | "ALLOW_ADULT" | "ALLOW_NONE"> | undefined;
  /** Whether images may show famous people. @defaultValue they may */
  readonly prominentPeople?: Word<"ALLOW_PROMINENT_PEOPLE" | "BLOCK_PROMINENT_PEOPLE"> | undefined;
  /** The quality is for JPEG. Google's SDK also has `outputMimeType` and `outputCompressionQuality` for these two. */
  readonly imageOutputOptions?: Fields<{ mimeType: string; compressionQuality: number }> | undefined;
}

/** One of three: a voice of the service, such as `Kore`; a copy of a person's voice; or the identifier of a speaker. */
export interface VoiceConfig {
  readonly prebuiltVoiceConfig?: { readonly voiceName: string } | undefined;
  /** Audio is WAV in base64: 24 kHz, 16 bits. The consent, or the signature of a verified consent, is only for the Developer API. */
  readonly replicatedVoiceConfig?:
    | (Texts<"mimeType" | "voiceSampleAudio" | "consentAudio"> & Fields<{ voiceConsentSignature: Texts<"signature"> }>)
    | undefined;
  readonly voice?: string | undefined;
}

/** How generated speech sounds. @see https://ai.google.dev/gemini-api/docs/speech-generation */
export interface SpeechConfig {
  readonly voiceConfig?: VoiceConfig | undefined;
  /** One voice for each speaker that the prompt names. */
  readonly multiSpeakerVoiceConfig?:
    | { readonly speakerVoiceConfigs: readonly { readonly speaker: string; readonly voiceConfig: VoiceConfig }[] }
    | undefined;
  /** BCP 47, such as `de-DE`. */
  readonly languageCode?: string | undefined;
}
