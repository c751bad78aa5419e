/** Longest text of an unplanned error that a model is given, in characters. */
const MAX_LENGTH = 500;

/** The message of whatever was thrown, short and never with a stack. Never throws. */
export function toolErrorText(error: unknown): string {
  try {
    const message =
      error instanceof Error
        ? error.message || error.name
        : typeof error === "string"
          ? error
          : (JSON.stringify(error) ?? String(error));
    const text = (message.split(/\n\s+at /, 1)[0] ?? "").trim();
    if (text === "") return "no message";
    return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH - 1)}…` : text;
  } catch {
    return "no message";
  }
}

/** True for an error of this name, also from another copy of this library. */
export function isNamed(error: unknown, name: "ToolFailure" | "ToolRetry"): error is Error {
  try {
    return error instanceof Error && error.name === name;
  } catch {
    return false;
  }
}

/**
 * Tells the model which names there are, nearest first when one is near.
 *
 * @param names - At most 20 are listed.
 */
export function notFoundText(name: string, names: readonly string[]): string {
  const asked = name.replace(/^default_api[.:]/, "").slice(0, 64);
  const near = names
    .map((known) => ({ known, distance: distance(asked.toLowerCase(), known.toLowerCase()) }))
    .reduce<{ readonly known: string; readonly distance: number } | undefined>(
      (best, one) => (best === undefined || one.distance < best.distance ? one : best),
      undefined,
    );
  const hint =
    near !== undefined && near.distance <= Math.max(2, Math.floor(asked.length / 3))
      ? ` Did you mean "${near.known}"?`
      : "";
  const listed = names.slice(0, 20).join(", ");
  const more = names.length > 20 ? ` and ${names.length - 20} more` : "";
  return `no tool is named "${name.slice(0, 100)}".${hint} ${names.length === 0 ? "There are no tools." : `Available: ${listed}${more}.`}`;
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, left] of a.split("").entries()) {
    const next = [i + 1];
    for (const [j, right] of b.split("").entries()) {
      next.push(Math.min((row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, (row[j] ?? 0) + (left === right ? 0 : 1)));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
