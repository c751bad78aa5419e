/** The text of a page that can't be parsed as a tree. Takes time in proportion to the page's length. */
export function textOfHtml(html: string): string {
  return withoutCode(html)
    .replaceAll(/<[^<>]*>/g, " ")
    .replaceAll(/\s+/g, " ")
    .trim();
}

/** Removes the contents of scripts and styles. A single expression would overflow the stack on millions of `<`. */
function withoutCode(html: string): string {
  const open = /<(script|style)\b/gi;
  let text = "";
  let at = 0;
  for (let found = open.exec(html); found !== null; found = open.exec(html)) {
    text += html.slice(at, found.index);
    const close = found[1]?.toLowerCase() === "script" ? /<\/script/gi : /<\/style/gi;
    close.lastIndex = open.lastIndex;
    at = close.exec(html)?.index ?? html.length;
    open.lastIndex = at;
  }
  return text + html.slice(at);
}
