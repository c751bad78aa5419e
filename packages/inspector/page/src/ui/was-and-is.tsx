import type { ComponentChildren, JSX } from "preact";

interface WasAndIsProps {
  readonly title: ComponentChildren;
  readonly was?: string | undefined;
  readonly is?: string | undefined;
}

/** A value that differs from what it was. @param title - What the older one is called. */
export function WasAndIs({ title, was, is }: WasAndIsProps): JSX.Element {
  const shown = (text: string | undefined): JSX.Element =>
    text === undefined ? <em>nothing there</em> : <code>{text}</code>;
  return (
    <dl>
      <div>
        <dt>{title}</dt>
        <dd>{shown(was)}</dd>
      </div>
      <div>
        <dt>Now</dt>
        <dd>{shown(is)}</dd>
      </div>
    </dl>
  );
}
