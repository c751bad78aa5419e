import { MARK, type RedactOptions, secretRanges } from "./redact.ts";

/**
 * {@link redact} for consecutive texts, such as the deltas of a stream: also finds a secret that spans several of them.
 * `[redacted]` replaces it where it begins.
 */
export function redactPieces(
  pieces: readonly string[],
  secrets: readonly string[],
  options?: RedactOptions,
): readonly string[] {
  const ranges = secretRanges(pieces.join(""), secrets, options).values();
  let range = ranges.next().value;
  let end = 0;
  return pieces.map((piece) => {
    const start = end;
    end += piece.length;
    let clean = "";
    let at = start;
    while (range !== undefined && range.start < end) {
      if (range.start >= start) clean += piece.slice(at - start, range.start - start) + MARK;
      at = Math.min(range.end, end);
      // The next piece may hold more of it.
      if (range.end > end) break;
      range = ranges.next().value;
    }
    return clean + piece.slice(at - start);
  });
}
