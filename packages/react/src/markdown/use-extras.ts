import { useEffect, useState } from "react";
import type { Parent, Root, Text } from "mdast";
import type { Options } from "react-markdown";

type Plugin = NonNullable<Options["rehypePlugins"]>[number];

/** What not every text needs, and is loaded for those that do. */
export interface Extras {
  readonly highlight?: Plugin;
  readonly math?: { readonly remark: readonly Plugin[]; readonly rehype: Plugin };
}

const NONE: Extras = {};

/** Once they are loaded, they are there for all texts of the page. */
const loaded: { extras: Extras; readonly waiting: Set<() => void> } = { extras: NONE, waiting: new Set() };
const requested = new Set<keyof Extras>();

/** The plugins that a text needs, as soon as they are there. */
export function useExtras(text: string): Extras {
  const [extras, setExtras] = useState(loaded.extras);
  const hasCode = /^ {0,3}(?:```|~~~)\s*\w/m.test(text);
  const hasMath = /\$\$|\$[^\s$][^$\n]*\$/.test(text);
  useEffect(() => {
    const show = (): void => setExtras(loaded.extras);
    loaded.waiting.add(show);
    show();
    if (hasCode) load("highlight", async () => (await import("rehype-highlight")).default);
    if (hasMath) load("math", loadMath);
    return () => void loaded.waiting.delete(show);
  }, [hasCode, hasMath]);
  return extras;
}

function load<Name extends keyof Extras>(name: Name, from: () => Promise<Extras[Name]>): void {
  if (requested.has(name)) return;
  requested.add(name);
  from().then(
    (plugin) => {
      loaded.extras = { ...loaded.extras, [name]: plugin };
      for (const show of loaded.waiting) show();
    },
    // It is not installed, or the network is gone: the text is there without it.
    () => requested.delete(name),
  );
}

/** Formulas are MathML, which browsers draw without styles or fonts. */
async function loadMath(): Promise<Extras["math"]> {
  const [remark, rehype] = await Promise.all([import("remark-math"), import("rehype-katex")]);
  return { remark: [remark.default, pricesAsText], rehype: [rehype.default, { output: "mathml", strict: "ignore" }] };
}

/** A remark plugin: "from $5 to $10" has no formula. One has no space at its ends, and no digit behind it. */
function pricesAsText(): (root: Root, source: { toString(): string }) => void {
  return (root, source) => replacePrices(root, String(source));
}

function replacePrices(parent: Parent, markdown: string): void {
  for (const [index, node] of parent.children.entries()) {
    if ("children" in node) replacePrices(node, markdown);
    const { type, position } = node;
    // Of the plugin above, which has no types of its own here.
    if ((type as string) !== "inlineMath" || position === undefined) continue;
    const [start = 0, end = 0] = [position.start.offset, position.end.offset];
    const value = markdown.slice(start, end);
    if (!/^\$\s|^\$[^$].*\s\$$/s.test(value) && !/\d/.test(markdown.charAt(end))) continue;
    parent.children[index] = { type: "text", value, position } satisfies Text;
  }
}
