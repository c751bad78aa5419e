/**
 * A refusal's text without request-specific parts: quoted values, numbers and names become placeholders.
 * A name is an address, an identifier (`snake_case`, `camelCase`, dotted) or a word with a digit in it.
 */
export function messageShape(message: string): string {
  return message
    .replaceAll(/`[^`]*`|"[^"]*"|(?<![A-Za-z0-9])'[^']*'(?![A-Za-z0-9])/g, "‹quoted›")
    .replaceAll(/https?:\/\/\S*[\w/]/g, "‹name›")
    .replaceAll(/[$\w][$\w./:@<>-]*[$\w>]|\w/g, (word) =>
      isNumber(word) ? "‹number›" : isName(word) ? "‹name›" : word,
    )
    .replaceAll(/\s+/g, " ")
    .trim();
}

function isNumber(word: string): boolean {
  return /^[\d.,-]+(?:ms|s)?$/.test(word);
}

function isName(word: string): boolean {
  return /[\d_/$:]|\w\.\w|[a-z][A-Z]/.test(word);
}
