import type { Link, Parent, Root, RootContent, Text } from "mdast";

/** A range of a Markdown text, and the numbers of the sources that support it. */
export interface CitedRange {
  readonly start: number;
  readonly end: number;
  readonly sources: readonly string[];
}

/** Start of the address of a footnote, which stands for a link in the message. */
export const CITE = "#cite-";

/** A remark plugin that puts footnotes behind cited ranges: into the parsed text, so that no syntax is broken by them. */
export function cite(citations: readonly CitedRange[]): () => (root: Root) => void {
  return () => (root) => {
    // From the end, so that the places before stay where they are.
    for (const { end, sources } of citations.toSorted((left, right) => right.end - left.end)) {
      const found = textAt(root, end);
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

interface Place {
  readonly parent: Parent;
  readonly index: number;
  readonly node: Text;
  /** Place in the node's text. */
  readonly at: number;
}

/** The text that a range ends in; or else the last before its end, such as before the end of bold words. */
function textAt(parent: Parent, end: number): Place | undefined {
  let found: Place | undefined;
  for (const [index, node] of parent.children.entries()) {
    const start = node.position?.start.offset;
    if (start === undefined || start >= end) continue;
    if (node.type === "text") found = { parent, index, node, at: Math.min(end - start, node.value.length) };
    else if ("children" in node) found = textAt(node, end) ?? found;
  }
  return found;
}
