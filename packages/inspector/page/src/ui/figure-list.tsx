import type { JSX } from "preact";

/** A name, its figure, and what is to be known of it. */
export type Figure = readonly [name: string, value: string, note?: string | undefined];

/** Figures that stand beside each other. */
export function FigureList({ figures }: { readonly figures: readonly Figure[] }): JSX.Element {
  return (
    <dl class="figures wrap">
      {figures.map(([name, value, note]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            {value} {note !== undefined && <span class="small">{note}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
