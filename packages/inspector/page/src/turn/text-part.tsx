import { useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import type { CitationView } from "../../../src/inspection/turn-details.ts";
import { CopyButton } from "../ui/copy-button.tsx";
import { formatBytes } from "../ui/format.ts";
import { TextView } from "../ui/text-view.tsx";

/** Characters that are shown at once. */
const SHORT = 6000;

/** A text, with the ranges that sources support. */
export function TextPart({
  text,
  citations,
  label,
}: {
  readonly text: string;
  readonly citations: readonly CitationView[];
  readonly label: string;
}): JSX.Element {
  const isWhole = useSignal(false);
  const isLong = text.length > SHORT;
  if (text === "") return <p class="dim">The text is empty.</p>;
  return (
    <div class="text">
      {isLong && isWhole.value ? (
        <TextView text={text} label={label} isJson={false} />
      ) : (
        <p class="text-body">{citedText(text, citations, isLong ? SHORT : text.length)}</p>
      )}
      {isLong && (
        <button type="button" class="more" onClick={() => (isWhole.value = !isWhole.value)}>
          {isWhole.value ? "Show less" : `Show all (${formatBytes(text.length)})`}
        </button>
      )}
      <div class="code-tools">
        <CopyButton text={text} what={label} />
      </div>
    </div>
  );
}

/** Cuts a text where citations begin and end; one inside another has the sources of both. */
function citedText(text: string, citations: readonly CitationView[], length: number): ComponentChildren {
  const cuts = new Set([0, length]);
  for (const { start, end } of citations) for (const at of [start, end]) if (at > 0 && at < length) cuts.add(at);
  const places = [...cuts].toSorted((a, b) => a - b);
  return places.slice(0, -1).map((start, index) => {
    const end = places[index + 1] ?? length;
    const covering = citations.filter((one) => one.start <= start && one.end >= end);
    const piece = text.slice(start, end);
    if (covering.length === 0) return piece;
    const ending = covering.filter((one) => one.end === end).flatMap(({ sources }) => sources);
    return (
      <span key={start}>
        <mark class="cited">{piece}</mark>
        {[...new Set(ending)].map((source) => (
          <button
            key={source}
            type="button"
            class="cite"
            aria-label={`Source ${source}`}
            onClick={() => showSource(source)}
          >
            {source}
          </button>
        ))}
      </span>
    );
  });
}

function showSource(number: number): void {
  const element = document.querySelector<HTMLElement>(`#source-${number}`);
  element?.scrollIntoView({ block: "nearest" });
  element?.focus({ preventScroll: true });
}
