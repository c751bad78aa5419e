import { exists, readFile } from "./repository.ts";

/** A picture of a page that is a drawing of ours: `![what it shows](/images/concepts/turn.svg)`. */
const DRAWING = /^!\[([^\]]*)\]\(\/(images\/concepts\/[\w-]+\.svg)\)$/gm;

/**
 * Puts the drawings of a page into the page, so that they follow its light and dark mode instead of the system's.
 *
 * A drawing's own style sheet is for where it is shown as a file; on the site, the theme styles the same classes.
 */
export function inlineDrawings(page: string): string {
  return page.replaceAll(DRAWING, (picture: string, label: string, path: string) => {
    const file = `docs/${path}`;
    if (!exists(file)) return picture;
    const svg = readFile(file)
      .replace(/<style>[^]*?<\/style>\s*/, "")
      .replaceAll(/\n\s*/g, "")
      .replace("<svg ", `<svg role="img" aria-label="${label}" `);
    return `<div class="drawing" tabindex="0">${svg}</div>`;
  });
}
