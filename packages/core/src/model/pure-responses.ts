import type { Content } from "../wire/content.ts";

/**
 * Contents in which nothing stands behind function responses: what does gets a `user` content of its own. The service
 * refuses such a sibling, or reads it as if the model had the last word.
 *
 * @param known - What became of contents before, so that the same one always becomes the same ones.
 * @returns The list itself when there is nothing to part.
 */
export function pureResponses(
  contents: readonly Content[],
  known: WeakMap<Content, readonly Content[]>,
): readonly Content[] {
  if (!contents.some(isMixed)) return contents;
  return contents.flatMap((content) => {
    if (!isMixed(content)) return content;
    const parted = known.get(content) ?? parting(content);
    known.set(content, parted);
    return parted;
  });
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
