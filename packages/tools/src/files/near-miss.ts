/** Most lines of a file that are compared with a text that was not found. */
const MAX_LINES = 20_000;

/** Explains why a text was not found: where similar text is, and what differs. */
export function nearMiss(text: string, wanted: string): string {
  const lines = text.split(/\r?\n/).slice(0, MAX_LINES);
  const asked = wanted.split(/\r?\n/);
  const loose = asked.map(squeezed);
  const at = lines.findIndex((_, index) => loose.every((line, row) => squeezed(lines[index + row] ?? "") === line));
  if (at >= 0 && loose.some((line) => line !== ""))
    return `it differs in white space from line ${at + 1}: ${quoted(lines.slice(at, at + asked.length))}`;
  const key = loose.reduce((longest, line) => (line.length > longest.length ? line : longest), "");
  const best = mostLike(lines, key);
  if (best === undefined) return "there is nothing like it; read the file again";
  const start = Math.max(0, best - loose.indexOf(key));
  return `the closest is line ${start + 1}: ${quoted(lines.slice(start, start + asked.length))}`;
}

function squeezed(line: string): string {
  return line.trim().replaceAll(/\s+/g, " ");
}

function quoted(lines: readonly string[]): string {
  const text = lines.slice(0, 12).join("\n");
  return JSON.stringify(text.length > 600 ? `${text.slice(0, 600)}…` : text);
}

/** The line that shares the most pairs of letters; undefined if none shares half of them. */
function mostLike(lines: readonly string[], wanted: string): number | undefined {
  const pairs = pairsOf(wanted);
  let best: number | undefined;
  let bestShare = 0.5;
  for (const [index, line] of lines.entries()) {
    const own = pairsOf(squeezed(line.slice(0, 500)));
    const common = [...own].filter((pair) => pairs.has(pair)).length;
    const share = (2 * common) / (own.size + pairs.size || 1);
    if (share > bestShare) {
      best = index;
      bestShare = share;
    }
  }
  return best;
}

function pairsOf(text: string): Set<string> {
  const short = text.slice(0, 500);
  return new Set(Array.from({ length: Math.max(0, short.length - 1) }, (_, index) => short.slice(index, index + 2)));
}
