import {
  memo,
  type MemoExoticComponent,
  type ReactElement,
  type ReactNode,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import ReactMarkdown, { type Components, type Options } from "react-markdown";
import type { Root } from "mdast";
import remarkGfm from "remark-gfm";
import remend from "remend";
import { visit } from "unist-util-visit";
import { instead } from "../browser.ts";
import { sourceAnchor } from "../settings.tsx";
import { CopyButton } from "../message/answer.tsx";
import { SafeLink } from "../safe-link.tsx";
import type { MarkdownProps } from "../settings.tsx";
import { CITE, cite } from "./cite.ts";

/**
 * Text of a model, while it streams: unfinished syntax is closed for the moment. HTML in it is shown as text, images of other servers are not
 * loaded, and links name their host. Highlighting and formulas are loaded with the first text that has code or a formula.
 */
export const Markdown: MemoExoticComponent<(props: MarkdownProps) => ReactElement> = memo(function Markdown({
  text,
  messageId,
  citations,
  isWriting,
  areLinksText = false,
}: MarkdownProps): ReactElement {
  const highlight = useExtra("highlight", /^ {0,3}(?:```|~~~)\s*\w/m.test(text));
  const math = useExtra("math", /\$\$|\$[^\s$][^$\n]*\$/.test(text));
  const remarkPlugins = useMemo(() => [remarkGfm, ...(math?.remark ?? []), cite(citations)], [citations, math]);
  const rehypePlugins = useMemo(
    // While a block is written its language may change with each character.
    () => [...(math?.rehype ?? []), ...(isWriting ? [] : (highlight?.rehype ?? []))],
    [math, highlight, isWriting],
  );
  // Footnotes of different messages have different ids.
  const remarkRehypeOptions = useMemo(() => ({ clobberPrefix: `${messageId}-` }), [messageId]);
  const components = useMemo(() => componentsFor(messageId, areLinksText), [messageId, areLinksText]);
  return (
    <div className={isWriting ? "markdown is-writing" : "markdown"} dir="auto">
      <ReactMarkdown {...{ remarkPlugins, rehypePlugins, components, remarkRehypeOptions }}>
        {isWriting ? remend(text) : text}
      </ReactMarkdown>
    </div>
  );
});

function componentsFor(messageId: string, areLinksText: boolean): Components {
  return {
    a({ href = "", children }) {
      if (!href.startsWith(CITE)) return <SafeLink {...{ href, isText: areLinksText, children }} />;
      const number = href.slice(CITE.length);
      const anchor = sourceAnchor(messageId, number);
      // Without following the link: the page's address is the conversation's.
      const show = (): void => {
        const source = document.getElementById(anchor);
        source?.scrollIntoView({ block: "nearest" });
        source?.focus();
      };
      return (
        <sup>
          <a
            className="cite"
            href={`#${anchor}`}
            aria-label={`Source ${number}`}
            onClick={(event) => instead(event, show)}
          >
            {children}
          </a>
        </sup>
      );
    },
    // An image in a text would tell its server who reads it, and everything that the model put into its address.
    img: ({ alt, src }) => <span className="note">{alt || String(src)}</span>,
    table: ({ children }) => (
      <div className="table" tabIndex={0} role="group" aria-label="Table">
        <table>{children}</table>
      </div>
    ),
    // Of a list of tasks.
    input: ({ checked }) => (
      <input type="checkbox" disabled checked={checked} aria-label={checked ? "Done" : "To do"} />
    ),
    pre: CodeBlock,
  };
}

function CodeBlock({ children }: { readonly children?: ReactNode }): ReactElement {
  const block = useRef<HTMLPreElement>(null);
  return (
    <div className="code" dir="ltr">
      <div className="code-head">
        <span>{languageOf(children) ?? "text"}</span>
        <CopyButton text={() => block.current?.textContent ?? ""} />
      </div>
      <pre ref={block} tabIndex={0} aria-label="Code">
        {children}
      </pre>
    </div>
  );
}

/** The language that a block of code begins with. */
function languageOf(code: ReactNode): string | undefined {
  if (typeof code !== "object" || code === null || !("props" in code)) return undefined;
  // The `code` inside a `pre`.
  const { className = "" } = code.props as { readonly className?: string };
  return /\blanguage-([\w+#.-]+)/.exec(className)?.[1];
}

type Plugins = NonNullable<Options["rehypePlugins"]>;

/** Features that few texts need, loaded on demand. */
interface Extra {
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

/** Loaded once for all texts of the page. */
const loaded = new Map<keyof typeof EXTRAS, Extra>();

/** The plugins of that name, as soon as they are loaded. */
function useExtra(name: keyof typeof EXTRAS, isNeeded: boolean): Extra | undefined {
  const [extra, setExtra] = useState(loaded.get(name));
  useEffect(() => {
    if (!isNeeded || extra !== undefined) return;
    let isWanted = true;
    EXTRAS[name]().then(
      (found) => {
        loaded.set(name, found);
        if (isWanted) setExtra(found);
      },
      () => {}, // It is not installed, or the network is gone: the text is shown without it.
    );
    return () => {
      isWanted = false;
    };
  }, [name, isNeeded, extra]);
  return extra;
}

/** A remark plugin: "from $5 to $10" contains no formula. A formula has no space at its ends and no digit after it; `$$` alone is a block. */
function formulasAsMeant(): (root: Root, source: unknown) => void {
  return (root, source) =>
    // Of the plugin above, which has no types here.
    visit(root, "inlineMath" as "inlineCode", (node, index = 0, parent) => {
      const [start = 0, end = 0] = [node.position?.start.offset, node.position?.end.offset];
      const text = String(source).slice(start, end);
      if (/^\$\s|^\$[^$].*\s\$$/s.test(text) || /\d/.test(String(source).charAt(end)))
        parent?.children.splice(index, 1, { type: "text", value: text });
      else if (text.startsWith("$$") && parent?.children.length === 1)
        node.data = { ...node.data, hProperties: { className: ["language-math", "math-display"] } };
    });
}
