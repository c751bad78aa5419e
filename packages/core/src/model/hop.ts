import type { Part } from "../wire/types/content.ts";
import type { GenerateContentResponse } from "../wire/types/generate-content.ts";
import { PartGatherer } from "./append-parts.ts";
import { candidateOf, ResponseFold } from "./collect-response.ts";

/**
 * One of the requests of a long answer, while it is read. Its parts are gathered behind those of the requests before; the
 * rest is its own.
 */
export class Hop extends ResponseFold {
  /** As they came. */
  readonly chunks: GenerateContentResponse[] = [];
  /** How many of {@link Hop.chunks} the last token covers. */
  checkpoint = 0;

  override add(chunk: GenerateContentResponse): readonly Part[] {
    this.chunks.push(chunk);
    if (candidateOf(chunk)?.continuationToken) this.checkpoint = this.chunks.length;
    return super.add(chunk);
  }

  /** Whether chunks after so many had parts. */
  partsAfter(checkpoint: number): boolean {
    return this.chunks
      .slice(checkpoint)
      .some(({ candidates }) => candidates?.some(({ content }) => (content?.parts?.length ?? 0) > 0) === true);
  }

  /** How many parts this request's answer would have by itself. */
  ownParts(): number {
    const gatherer = new PartGatherer();
    for (const chunk of this.chunks) {
      const parts = candidateOf(chunk)?.content?.parts;
      if (parts !== undefined) gatherer.add(parts);
    }
    return gatherer.parts().length;
  }
}
