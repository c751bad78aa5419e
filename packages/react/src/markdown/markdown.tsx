import { memo, type MemoExoticComponent, type ReactElement, type ReactNode, useMemo, useRef } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import remend from "remend";
import { instead } from "../browser.ts";
import { sourceAnchor } from "../settings.tsx";
import { CopyButton } from "../message/answer.tsx";
import { SafeLink } from "../safe-link.tsx";
import type { MarkdownProps } from "../settings.tsx";
import { CITE, cite } from "./cite.ts";
import { useExtra } from "./use-extras.ts";

/**
 * Text of a model, as it comes: what is unfinished is closed for the moment. HTML in it is shown as text, images of other servers are not
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
  // Footnotes of two messages have two names.
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
      // The address is that of the conversation.
      const show = instead(() => {
        const source = document.getElementById(anchor);
        source?.scrollIntoView({ block: "nearest" });
        source?.focus();
      });
      return (
        <sup>
          <a className="cite" href={`#${anchor}`} aria-label={`Source ${number}`} onClick={show}>
            {children}
          </a>
        </sup>
      );
    },
    // An image in a text would tell its server who reads it, and whatever the model put into its address.
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
