import type { Link, Parent, Root, RootContent, Text } from "mdast";
import type { CitedRange } from "../citation.ts";

/** Start of the address of a footnote, which stands for a link in the message. */
export const CITE = "#cite-";

/**
 * A remark plugin that puts footnotes behind cited ranges: into the parsed text, so that no syntax is broken by them. Where several ranges
 * end, each source is named once.
 */
export function cite(citations: readonly CitedRange[]): () => (root: Root, source: Source) => void {
  return () => (root, source) => {
    const markdown = String(source);
    const ends = new Set(citations.map(({ end }) => end));
    // From the end, so that the places before stay where they are.
    for (const end of [...ends].toSorted((left, right) => right - left)) {
      const cited = citations.flatMap((one) => (one.end === end ? one.sources : []));
      const sources = [...new Set(cited)].toSorted((left, right) => Number(left) - Number(right));
      const found = textAt(root, end, markdown);
      if (found === undefined) continue;
      const { parent, index, node, at } = found;
      const notes = sources.map((number): Link => ({
        type: "link",
        url: `${CITE}${number}`,
        children: [{ type: "text", value: number }],
      }));
      const [before, after] = [node.value.slice(0, at), node.value.slice(at)];
      const rest: RootContent[] = after === "" ? [] : [{ type: "text", value: after }];
      const head: Text = { ...node, value: before };
      parent.children.splice(index, 1, head, ...notes, ...rest);
    }
  };
}

/** The file that is parsed. */
interface Source {
  toString(): string;
}

interface Place {
  readonly parent: Parent;
  readonly index: number;
  readonly node: Text;
  /** Place in the node's text. */
  readonly at: number;
}

/** The text that a range ends in; or else the last before its end, such as before the end of bold words. */
function textAt(parent: Parent, end: number, markdown: string): Place | undefined {
  let found: Place | undefined;
  for (const [index, node] of parent.children.entries()) {
    const start = node.position?.start.offset;
    if (start === undefined || start >= end) continue;
    if (node.type === "text")
      found = { parent, index, node, at: Math.min(lengthOf(markdown.slice(start, end)), node.value.length) };
    else if ("children" in node) found = textAt(node, end, markdown) ?? found;
  }
  return found;
}

/** How long a text is once its escapes and character references stand for themselves. */
function lengthOf(markdown: string): number {
  return markdown.replaceAll(/\\[!-/:-@[-`{-~]|&(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z][\da-z]*);/gi, "x").length;
}
