import { diffWordsWithSpace } from "diff";
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";

/** Words that are added and removed at most; texts that differ more are shown as they are. */
const MAX_CHANGES = 2000;

/** A smaller part than this in common is no likeness. */
const MIN_SHARED = 0.3;
/** Of a part in common that is cut short, characters at its beginning and end that stay. */
const EDGE = 120;

interface TextDiffProps {
  readonly was: string;
  readonly is: string;
  readonly isShort?: boolean | undefined;
}

/** The second of two texts, with what it has and lacks compared with the first. @param isShort - Long parts in common are cut. */
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
