import type { JSX } from "preact";
import type { KeptExchange } from "@pollux/core/exchanges";
import { formatBytes, formatDuration, formatPlural } from "../ui/format.ts";

/** Most marks that are drawn: further ones would cover each other. */
const MAX_MARKS = 400;

/** When each piece of an answer came in. */
export function ChunkStrip({
  chunks,
  ms,
}: {
  readonly chunks: KeptExchange["chunks"];
  readonly ms: number;
}): JSX.Element | null {
  const [first] = chunks;
  const last = chunks.at(-1);
  if (first === undefined || last === undefined) return null;
  const whole = Math.max(1, ms, last.ms);
  const step = Math.max(1, Math.ceil(chunks.length / MAX_MARKS));
  const longest = longestPause(chunks);
  return (
    <figure class="strip">
      <div class="strip-track" aria-hidden="true">
        <span class="strip-wait" style={{ width: `${(100 * first.ms) / whole}%` }} />
        {chunks.map(
          ({ ms: at, text }, index) =>
            index % step === 0 && (
              <span
                key={index}
                class="strip-mark"
                style={{ left: `${(100 * at) / whole}%` }}
                title={`${formatDuration(at)}: ${formatBytes(text.length)}`}
              />
            ),
        )}
      </div>
      <figcaption class="dim">
        {formatPlural(chunks.length, "chunk")}: the first after {formatDuration(first.ms)}, the last after{" "}
        {formatDuration(last.ms)}
        {longest > 0 && `, the longest pause between two ${formatDuration(longest)}`}.
      </figcaption>
    </figure>
  );
}

function longestPause(chunks: KeptExchange["chunks"]): number {
  let longest = 0;
  for (let index = 1; index < chunks.length; index++)
    longest = Math.max(longest, (chunks[index]?.ms ?? 0) - (chunks[index - 1]?.ms ?? 0));
  return longest;
}
