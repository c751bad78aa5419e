import type { JSX } from "preact";
import { useInspector } from "../app/inspector.ts";

/** Puts a text on the clipboard. */
export function CopyButton({
  text,
  what,
  title = "Copy",
}: {
  readonly text: string | (() => string | Promise<string>);
  /** For a screen reader: "Copy" is followed by it. */
  readonly what: string;
  readonly title?: string | undefined;
}): JSX.Element {
  const inspector = useInspector();
  const copy = (): void => void inspector.copy(typeof text === "string" ? () => text : text);
  return (
    <button type="button" class="quiet" aria-label={`${title} ${what}`} onClick={copy}>
      {title}
    </button>
  );
}
