import type { Link, Root, Text } from "mdast";
import { visit } from "unist-util-visit";
import type { CitedRange } from "../settings.tsx";

/** Start of a footnote's address, used as a link in the message. */
export const CITE = "#cite-";

/**
 * A remark plugin that puts footnotes after cited ranges: into the parsed text, so that they break no syntax. Where several ranges end,
 * each source is named once.
 */
export function cite(citations: readonly CitedRange[]): () => (root: Root, source: unknown) => void {
  return () => (root, source) => {
    const markdown = String(source);
    const ends = new Set(citations.map(({ end }) => end));
    // From the end, so that earlier positions stay valid.
    for (const end of [...ends].toSorted((left, right) => right - left)) {
      const cited = citations.flatMap((one) => (one.end === end ? one.sources : []));
      const sources = [...new Set(cited)].toSorted((left, right) => Number(left) - Number(right));
      const notes = sources.map((number): Link => ({
        type: "link",
        url: `${CITE}${number}`,
        children: [{ type: "text", value: number }],
      }));
      // The text that the range ends in; or else the last before its end, such as before the end of bold words.
      let put: (() => void) | undefined;
      visit(root, "text", (node, index = 0, parent) => {
        const start = node.position?.start.offset ?? end;
        if (start >= end) return;
        const at = lengthOf(markdown.slice(start, end));
        const [before, after] = [node.value.slice(0, at), node.value.slice(at)];
        const rest: Text[] = after === "" ? [] : [{ type: "text", value: after }];
        put = () => parent?.children.splice(index, 1, { ...node, value: before }, ...notes, ...rest);
      });
      put?.();
    }
  };
}

/** The length of a text once its escapes and character references are decoded. */
function lengthOf(markdown: string): number {
  return markdown.replaceAll(/\\[!-/:-@[-`{-~]|&(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z][\da-z]*);/gi, "x").length;
}
