/** What is wrong with an expression, in words for the model. */
export class Problem extends Error {
  override readonly name = "Problem";
}

/** The position of `text` in the expression, counted from 1, as words. */
export function at(expression: string, text: string): string {
  const escaped = text.replaceAll(/[^\w]/g, String.raw`\$&`);
  const index = expression.search(
    /^\w+$/.test(text) ? new RegExp(String.raw`(?<![A-Za-z_])${escaped}(?!\w)`) : new RegExp(escaped),
  );
  return index === -1 ? "" : ` (character ${index + 1})`;
}
