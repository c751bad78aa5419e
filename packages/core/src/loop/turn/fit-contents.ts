import { type HistoryOrigin, prepareHistory } from "../../model/history/import-history.ts";
import type { Model } from "../../model/model.ts";
import type { Content } from "../../wire/types/content.ts";

/**
 * Contents as a model takes them: signatures are valid only where they were made.
 *
 * @param own - The model of the run, which wrote all contents but the foreign ones.
 * @param foreign - Contents that other models wrote, and where these are.
 */
export function fitContents(
  contents: readonly Content[],
  own: Model,
  foreign: ReadonlyMap<Content, HistoryOrigin>,
  to: HistoryOrigin,
): readonly Content[] {
  const from = buildOrigin(own);
  if (foreign.size === 0 && isSameOrigin(from, to)) return contents;
  return contents.flatMap((content) => {
    const author = foreign.get(content) ?? from;
    const stays = content.role !== "model" || isSameOrigin(author, to);
    return stays ? content : prepareHistory([content], { from: author, to });
  });
}

/** Where a model's signatures are valid. */
export function buildOrigin({ id, origin, capabilities }: Model): HistoryOrigin {
  return origin ?? { endpoint: id, family: capabilities.family };
}

function isSameOrigin(a: HistoryOrigin, b: HistoryOrigin): boolean {
  return a.endpoint === b.endpoint && a.family === b.family;
}
