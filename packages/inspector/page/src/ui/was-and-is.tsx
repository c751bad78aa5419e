import type { ComponentChildren, JSX } from "preact";

/** A value that differs from what it was. @param before - What the older one is called. */
export function WasAndIs({
  before,
  was,
  is,
}: {
  readonly before: ComponentChildren;
  readonly was?: string | undefined;
  readonly is?: string | undefined;
}): JSX.Element {
  return (
    <dl>
      {(
        [
          [before, was],
          ["Now", is],
        ] as const
      ).map(([title, value], index) => (
        <div key={index}>
          <dt>{title}</dt>
          <dd>{value === undefined ? <em>nothing there</em> : <code>{value}</code>}</dd>
        </div>
      ))}
    </dl>
  );
}
