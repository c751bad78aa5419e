import { memo, type ReactElement, type ReactNode, useMemo, useRef, useState } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import { CITE, cite, type CitedRange } from "./cite.ts";
import { sourceAnchor } from "./sources.tsx";

export interface MarkdownProps {
  readonly text: string;
  /** Where the footnotes lead. */
  readonly messageId: string;
  readonly citations: readonly CitedRange[];
  readonly isWriting?: boolean;
}

/** Text of a model. HTML in it is shown as text, and links lead to pages only. */
export const Markdown = memo(function Markdown({
  text,
  messageId,
  citations,
  isWriting = false,
}: MarkdownProps): ReactElement {
  const plugins = useMemo(() => [remarkGfm, cite(citations)], [citations]);
  const components = useMemo(() => componentsFor(messageId), [messageId]);
  return (
    <div className={isWriting ? "markdown is-writing" : "markdown"}>
      <ReactMarkdown remarkPlugins={plugins} components={components}>
        {text}
      </ReactMarkdown>
    </div>
  );
});

function componentsFor(messageId: string): Components {
  return {
    a({ href = "", children }) {
      if (!href.startsWith(CITE))
        return (
          <a href={href} target="_blank" rel="noreferrer">
            {children}
          </a>
        );
      const number = href.slice(CITE.length);
      return (
        <sup>
          <a
            className="cite"
            href={`#${sourceAnchor(messageId, number)}`}
            aria-label={`Source ${number}`}
            onClick={(event) => {
              // The address is that of the conversation.
              event.preventDefault();
              const source = document.getElementById(sourceAnchor(messageId, number));
              source?.scrollIntoView({ block: "nearest" });
              source?.focus();
            }}
          >
            {children}
          </a>
        </sup>
      );
    },
    // An image in a text would tell its server who reads it.
    img: ({ alt, src }) => <span className="note">{alt === "" ? String(src) : alt}</span>,
    table: ({ children }) => (
      <div className="table" tabIndex={0} role="region" aria-label="Table">
        <table>{children}</table>
      </div>
    ),
    pre: CodeBlock,
  };
}

function CodeBlock({ children }: { readonly children?: ReactNode }): ReactElement {
  const block = useRef<HTMLPreElement>(null);
  const [isCopied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(block.current?.textContent ?? "");
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <div className="code">
      <button type="button" className="small" onClick={() => void copy()}>
        {isCopied ? "Copied" : "Copy"}
      </button>
      <pre ref={block} tabIndex={0} aria-label="Code">
        {children}
      </pre>
    </div>
  );
}
