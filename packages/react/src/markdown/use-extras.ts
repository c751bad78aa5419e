import { useEffect, useState } from "react";
import type { Root } from "mdast";
import type { Options } from "react-markdown";
import { visit } from "unist-util-visit";

type Plugins = NonNullable<Options["rehypePlugins"]>;

/** What not every text needs, and is loaded for those that do. */
export interface Extra {
  readonly remark: Plugins;
  readonly rehype: Plugins;
}

const EXTRAS = {
  highlight: async (): Promise<Extra> => ({ remark: [], rehype: [(await import("rehype-highlight")).default] }),
  /** Formulas are MathML, which browsers draw without styles or fonts. */
  math: async (): Promise<Extra> => {
    const [remark, rehype] = await Promise.all([import("remark-math"), import("rehype-katex")]);
    return {
      remark: [remark.default, formulasAsMeant],
      rehype: [[rehype.default, { output: "mathml", strict: "ignore" }]],
    };
  },
};

/** Once they are loaded, they are there for all texts of the page. */
const loaded = new Map<keyof typeof EXTRAS, Extra>();

/** The plugins of that name, as soon as they are there. */
export function useExtra(name: keyof typeof EXTRAS, isNeeded: boolean): Extra | undefined {
  const [extra, setExtra] = useState(loaded.get(name));
  useEffect(() => {
    if (!isNeeded || extra !== undefined) return;
    let isWanted = true;
    EXTRAS[name]().then(
      (found) => {
        loaded.set(name, found);
        if (isWanted) setExtra(found);
      },
      () => {}, // It is not installed, or the network is gone: the text is there without it.
    );
    return () => {
      isWanted = false;
    };
  }, [name, isNeeded, extra]);
  return extra;
}

/** A remark plugin: "from $5 to $10" has no formula. One has no space at its ends, no digit behind it, and a line of its own with `$$`. */
function formulasAsMeant(): (root: Root, source: { toString(): string }) => void {
  return (root, source) =>
    // Of the plugin above, which has no types of its own here.
    visit(root, "inlineMath" as "inlineCode", (node, index = 0, parent) => {
      const [start = 0, end = 0] = [node.position?.start.offset, node.position?.end.offset];
      const text = String(source).slice(start, end);
      if (/^\$\s|^\$[^$].*\s\$$/s.test(text) || /\d/.test(String(source).charAt(end)))
        parent?.children.splice(index, 1, { type: "text", value: text });
      else if (text.startsWith("$$") && parent?.children.length === 1)
        node.data = { ...node.data, hProperties: { className: ["language-math", "math-display"] } };
    });
}
