import { dirname, join } from "node:path/posix";
import { sectionOf } from "./markdown.ts";
import { routeOf, type SitePage } from "./pages.ts";
import { readFile } from "./repository.ts";

/** An entry of the navigation; with `items`, a group of them. */
export interface NavigationItem {
  readonly text: string;
  readonly link?: string;
  readonly collapsed?: boolean;
  readonly items?: readonly NavigationItem[];
}

/** The page that lists all guides by task. */
export const INDEX_PAGE = "docs/README.md";

/** The navigation beside the guides: the sections of the index, with the pages that they name. */
export function guideSidebar(
  pages: readonly SitePage[],
  index: string = readFile(INDEX_PAGE),
): readonly NavigationItem[] {
  const sections = [...index.matchAll(/^## (.+)$/gm)].map(([, heading = ""]) => ({
    text: heading,
    collapsed: false,
    items: [...sectionOf(index, heading).matchAll(/\[([^\]]+)\]\(([^)#\s]+)\)/g)].flatMap(
      ([, text = "", target = ""]) => {
        const route = routeOf(join(dirname(INDEX_PAGE), target), pages);
        return route === undefined ? [] : [{ text: capitalized(text.replaceAll("`", "")), link: linkOf(route) }];
      },
    ),
  }));
  return sections.filter(({ items }) => items.length > 0);
}

/** The address of a page. */
export function linkOf(route: string): string {
  return `/${route.replace(/(?:index)?\.md$/, "")}`;
}

function capitalized(text: string): string {
  return text.startsWith("@") ? text : text.charAt(0).toUpperCase() + text.slice(1);
}
