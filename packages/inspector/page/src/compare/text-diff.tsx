import { diffWordsWithSpace } from "diff";
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";

/** Words that are added and removed at most; texts that differ more are shown as they are. */
const MAX_CHANGES = 2000;

/** The second of two texts, with what it has and lacks compared with the first. */
export function TextDiff({ was, is }: { readonly was: string; readonly is: string }): JSX.Element {
  const pieces = useMemo(() => diffWordsWithSpace(was, is, { maxEditLength: MAX_CHANGES }), [was, is]);
  if (pieces === undefined) return <>{is}</>;
  return (
    <>
      {pieces.map(({ value, added, removed }, index) =>
        added ? <ins key={index}>{value}</ins> : removed ? <del key={index}>{value}</del> : value,
      )}
    </>
  );
}
