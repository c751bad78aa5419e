import { diffWordsWithSpace } from "diff";
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";

/** Most added and removed words; texts that differ more show no changes. */
const MAX_CHANGES = 2000;

/** The smallest common share of two texts to show changes. */
const MIN_SHARED = 0.3;
/** Characters to keep at each end of a shortened common part. */
const EDGE = 120;

interface TextDiffProps {
  readonly was: string;
  readonly is: string;
  readonly isShort?: boolean | undefined;
}

/** The second of two texts, with its changes from the first. @param isShort - Shortens long common parts. */
export function TextDiff({ was, is, isShort = false }: TextDiffProps): JSX.Element {
  const pieces = useMemo(() => diffWordsWithSpace(was, is, { maxEditLength: MAX_CHANGES }), [was, is]);
  const shared =
    pieces?.reduce((sum, { value, added, removed }) => sum + (added || removed ? 0 : value.length), 0) ?? 0;
  if (pieces === undefined || shared < MIN_SHARED * Math.max(was.length, is.length)) return <>{is}</>;
  return (
    <>
      {pieces.map(({ value, added, removed }, index) =>
        added ? (
          <ins key={index}>{value}</ins>
        ) : removed ? (
          <del key={index}>{value}</del>
        ) : isShort ? (
          cut(value)
        ) : (
          value
        ),
      )}
    </>
  );
}

function cut(text: string): string {
  return text.length <= 3 * EDGE ? text : `${text.slice(0, EDGE)} … ${text.slice(-EDGE)}`;
}
