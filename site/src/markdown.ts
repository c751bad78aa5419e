/** A page, cut into text and code: every second piece is a fenced block. */
const FENCE = /^( *```[^]*?^ *```[^\n]*$)/m;

/** Changes the text of a page and leaves its fenced blocks alone. */
export function mapText(page: string, change: (text: string) => string): string {
  return page
    .split(FENCE)
    .map((piece, index) => (index % 2 === 0 ? change(piece) : piece))
    .join("");
}

/** A page whose tables are not padded, for those who read them by the token. */
export function unpadded(page: string): string {
  return mapText(page, (text) => text.replaceAll(/(?<= ) +(?=\|)/g, "").replaceAll(/(?<=\| )-{4,}(?= \|)/g, "---"));
}

/** A page without its fenced blocks. */
export function textOf(page: string): string {
  return page
    .split(FENCE)
    .filter((_, index) => index % 2 === 0)
    .join("");
}

/** The first heading, without markup. */
export function titleOf(page: string): string {
  return plain(/^# (.+)$/m.exec(textOf(page))?.[1] ?? "");
}

/** The first paragraph after the title, on one line. */
export function summaryOf(page: string): string {
  const [, paragraph = ""] = /^# .+\n+((?:(?!#|\||```|<|!\[|- ).+\n?)+)/m.exec(page) ?? [];
  return plain(paragraph.trim().replaceAll(/\s+/g, " "));
}

/** The part of a page under a heading of the second level, without the heading. Throws if there is none. */
export function sectionOf(page: string, heading: string): string {
  const section = page.split(/^## /m).find((each) => each.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`the page has no section "${heading}"`);
  return section.slice(heading.length + 1).trim();
}

/** The anchor of a heading, as GitHub makes it, so that links work there and on the site. */
export function slugOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{Letter}\p{Number}\s_-]/gu, "")
    .replaceAll(" ", "-");
}

/** The anchors of a page; a heading that is repeated gets a number. */
export function anchorsOf(page: string): readonly string[] {
  const seen = new Map<string, number>();
  return [...textOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => {
    const slug = slugOf(plain(heading));
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    return times === 0 ? slug : `${slug}-${times}`;
  });
}

/** Text as it is read: links and code without their marks. */
export function plain(markdown: string): string {
  return markdown.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll(/[`*]/g, "");
}
