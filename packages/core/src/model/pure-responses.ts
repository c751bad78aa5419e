import type { Content } from "../wire/types/content.ts";
import { KnownPrefix } from "./known-prefix.ts";

/**
 * Contents in which nothing stands behind function responses: what does gets a `user` content of its own. The service
 * refuses such a sibling, or reads it as if the model had the last word.
 *
 * One serves one conversation, so that the same content always becomes the same ones.
 */
export class PureResponses {
  readonly #parted = new WeakMap<Content, readonly Content[]>();
  /** Contents of which none had to be parted. */
  readonly #pure = new KnownPrefix();

  /** @returns The list itself when there is nothing to part. */
  of(contents: readonly Content[]): readonly Content[] {
    if (!contents.slice(this.#pure.lengthIn(contents)).some(isMixed)) {
      this.#pure.remember(contents, contents.length);
      return contents;
    }
    return contents.flatMap((content) => {
      if (!isMixed(content)) return content;
      const parted = this.#parted.get(content) ?? parting(content);
      this.#parted.set(content, parted);
      return parted;
    });
  }
}

/** What stands before the responses may stay. */
function isMixed({ parts }: Content): boolean {
  const first = parts.findIndex((part) => part.functionResponse !== undefined);
  return first !== -1 && parts.some((part, i) => i > first && part.functionResponse === undefined);
}

function parting(content: Content): readonly Content[] {
  const first = content.parts.findIndex((each) => each.functionResponse !== undefined);
  const stays = content.parts.filter((each, i) => i < first || each.functionResponse !== undefined);
  return [
    { ...content, parts: stays },
    { ...content, parts: content.parts.filter((each) => !stays.includes(each)) },
  ];
}
