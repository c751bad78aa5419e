import type { Json } from "@pollux/core";
import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { formatBytes } from "./format.ts";
import { colored, TextView } from "./text-view.tsx";
import { Button, CopyButton } from "../acting/parts.tsx";

/** Longest text to show in full at first. */
const SHORT = 3000;

/** A JSON value. */
export function JsonCode({ value, label }: { readonly value: Json | undefined; readonly label: string }): JSX.Element {
  const text = useMemo(() => JSON.stringify(value, undefined, 2) ?? "", [value]);
  return <Code text={text} label={label} isJson />;
}

interface JsonDetailsProps {
  readonly title: string;
  readonly value: Json | undefined;
  readonly label?: string | undefined;
}

/** The same, collapsed below its title. */
export function JsonDetails({ title, value, label = title }: JsonDetailsProps): JSX.Element {
  return (
    <details>
      <summary>{title}</summary>
      <JsonCode value={value} label={label} />
    </details>
  );
}

interface CodeProps {
  readonly text: string;
  readonly label: string;
  readonly isJson?: boolean | undefined;
}

/** Code, or any other preformatted text; a long one is cut. */
export function Code({ text, label, isJson = false }: CodeProps): JSX.Element {
  const [isWhole, showWhole] = useState(false);
  const isLong = text.length > SHORT;
  const shown = isLong ? text.slice(0, SHORT) : text;
  return (
    <div class="code">
      {isLong && isWhole ? (
        <TextView text={text} label={label} isJson={isJson} />
      ) : (
        <pre tabIndex={0} role="region" aria-label={label}>
          <code>{isJson ? colored(shown) : shown}</code>
        </pre>
      )}
      <div class="code-tools">
        <CopyButton text={text} what={label} />
      </div>
      {isLong && (
        <Button
          say={isWhole ? "Show less" : `Show all (${formatBytes(text.length)})`}
          onClick={() => showWhole(!isWhole)}
        />
      )}
    </div>
  );
}
