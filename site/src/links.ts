import { dirname, join, relative } from "node:path/posix";
import { mapText } from "./markdown.ts";
import { routeOf, type SitePage } from "./pages.ts";

/** A page whose links lead to pages of the site, and the other files of the repository that it needs. */
export interface LinkedPage {
  readonly text: string;
  /** Paths from the root of the repository. */
  readonly files: readonly string[];
}

/**
 * Changes the relative links of a page, which lead to files of the repository, into links of the site.
 *
 * @param repositoryUrl - Where the files of this commit can be read; without it, the site has copies of those it links to.
 */
export function linkPage(
  text: string,
  page: SitePage,
  pages: readonly SitePage[],
  repositoryUrl: string | undefined,
): LinkedPage {
  const files: string[] = [];
  const linkTo = (target: string): string => {
    if (/^(?:[a-z]+:|#)/.test(target)) return target;
    const [path = "", anchor] = target.split("#");
    const file = join(dirname(page.source), path).replace(/\/$/, "");
    const hash = anchor === undefined ? "" : `#${anchor}`;
    const route = routeOf(file, pages);
    if (route !== undefined) return `${relativeRoute(page.route, route)}${hash}`;
    if (repositoryUrl !== undefined && !IMAGE.test(file)) return `${repositoryUrl}/${file}${hash}`;
    files.push(file);
    return `/${copyPath(file)}`;
  };
  const linked = mapText(text, (piece) =>
    piece
      .replaceAll(/\]\(([^)\s]+)\)/g, (_, target: string) => `](${linkTo(target)})`)
      .replaceAll(/ (src|srcset)="([^"]+)"/g, (_, name: string, target: string) => ` ${name}="${linkTo(target)}"`),
  );
  return { text: linked, files };
}

const IMAGE = /\.(?:svg|png|webp)$/;

/** Where the site has a copy of a file. Servers know `.txt` as text; many take `.ts` for a film. */
export function copyPath(file: string): string {
  return IMAGE.test(file) ? imagePath(file) : `source/${file}.txt`;
}

function imagePath(file: string): string {
  return file.replace(/^docs\//, "");
}

/** A link from one page to another. */
export function relativeRoute(from: string, to: string): string {
  const path = relative(dirname(from), to);
  return path.startsWith(".") ? path : `./${path}`;
}
