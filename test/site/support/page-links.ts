import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path/posix";

/** The HTML pages of a folder: by path, their anchors and links. */
export type BuiltPages = ReadonlyMap<string, BuiltPage>;

interface BuiltPage {
  readonly anchors: ReadonlySet<string>;
  /** Targets of `href` and `src`, as written. */
  readonly targets: readonly string[];
  /** Addresses of scripts, styles and pictures, which a browser loads by itself. */
  readonly loaded: readonly string[];
}

/** Reads a built site. */
export function readBuiltPages(folder: string): BuiltPages {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".html"));
  return new Map(
    files.map((file) => {
      const html = readFileSync(join(folder, file), "utf8");
      return [
        file.replaceAll("\\", "/"),
        {
          anchors: new Set(allOf(html, / id="([^"]+)"/g)),
          targets: [...new Set(allOf(html, /<[a-z]+ [^>]*?(?:href|src)="([^"]+)"/g))],
          loaded: allOf(html, /<(?:script|link|img|iframe|source)\b[^>]*? (?:src|href)="([^"]+)"/g),
        },
      ];
    }),
  );
}

/** Targets of a page that lead nowhere. */
export function deadTargets(path: string, pages: BuiltPages, files: ReadonlySet<string>): readonly string[] {
  const { targets } = pages.get(path) ?? { targets: [] };
  return targets.filter((target) => {
    if (/^[a-z]+:/.test(target)) return false;
    const [address = "", anchor = ""] = target.split("#");
    const to =
      address === "" ? path : fileOf(address.startsWith("/") ? address.slice(1) : join(dirname(path), address));
    if (!files.has(to)) return true;
    return anchor !== "" && pages.get(to)?.anchors.has(decodeURIComponent(anchor)) !== true;
  });
}

/** The file that a server sends for an address. */
function fileOf(address: string): string {
  const path = decodeURIComponent(address).replace(/^\.\//, "");
  return path === "" || path.endsWith("/") ? `${path}index.html` : path;
}

function allOf(html: string, pattern: RegExp): readonly string[] {
  return [...html.matchAll(pattern)].map(([, found = ""]) => found.replaceAll("&amp;", "&"));
}
