/** The text of a page that can't be parsed as a tree. Takes time in proportion to the page's length. */
export function textOfHtml(html: string): string {
  return html
    .replaceAll(/<(script|style)\b[^<]*(?:<(?!\/\1)[^<]*)*/gi, "")
    .replaceAll(/<[^<>]*>/g, " ")
    .replaceAll(/\s+/g, " ")
    .trim();
}
