/**
 * How likely an answer or a prompt is one kind of harm.
 *
 * @see https://ai.google.dev/api/generate-content#v1beta.SafetyRating
 */
export interface SafetyRating {
  /** Such as `HARM_CATEGORY_HARASSMENT`. */
  readonly category?: string | undefined;
  /** `NEGLIGIBLE`, `LOW`, `MEDIUM`, `HIGH`, or a newer word. */
  readonly probability?: string | undefined;
  /** True for the rating that something was withheld for. */
  readonly blocked?: boolean | undefined;
  /** 0 to 1. Vertex only, as are the next two. */
  readonly probabilityScore?: number | undefined;
  readonly severity?: string | undefined;
  readonly severityScore?: number | undefined;
}

/**
 * Text of the answer that is quoted from a work. Offsets are UTF-8 bytes, end exclusive; zero is absent.
 *
 * @see https://ai.google.dev/api/generate-content#CitationMetadata
 */
export interface CitationSource {
  readonly startIndex?: number | undefined;
  readonly endIndex?: number | undefined;
  readonly uri?: string | undefined;
  readonly title?: string | undefined;
  /** License of the work, such as one of a code repository. */
  readonly license?: string | undefined;
}

/** What an answer quotes: `citationSources` on the Developer API and CometAPI, `citations` on Vertex. */
export interface CitationMetadata {
  readonly citationSources?: readonly CitationSource[] | undefined;
  readonly citations?: readonly CitationSource[] | undefined;
}

/** A token and its log probability. */
export interface LogprobsCandidate {
  readonly token?: string | undefined;
  readonly tokenId?: number | undefined;
  readonly logProbability?: number | undefined;
}

/**
 * Log probabilities of an answer, one entry for each decoding step.
 *
 * @see https://ai.google.dev/api/generate-content#LogprobsResult
 */
export interface LogprobsResult {
  readonly chosenCandidates?: readonly LogprobsCandidate[] | undefined;
  readonly topCandidates?: readonly { readonly candidates?: readonly LogprobsCandidate[] | undefined }[] | undefined;
  readonly logProbabilitySum?: number | undefined;
}
