import { mapText } from "./markdown.ts";
import { relativeRoute } from "./links.ts";

/** Pages of the reference by the name that they describe. */
export type ReferenceNames = ReadonlyMap<string, string>;

/** `Agent`, `defineTool()` and `new Agent()`, as code in running text. */
const NAME = /(?<![[`])`((?:new )?([A-Za-z]\w*)(?:\(\))?)`(?![`\]])/g;

/** Links the names of the API that a page mentions to the reference: each the first time that a section mentions it. */
export function linkNames(page: string, route: string, names: ReferenceNames): string {
  let linked = new Set<string>();
  return mapText(page, (text) =>
    text
      .split("\n")
      .map((line) => {
        if (line.startsWith("#")) {
          linked = new Set();
          return line;
        }
        return line.replaceAll(NAME, (code: string, shown: string, name: string, at: number) => {
          const target = names.get(name);
          if (target === undefined || target === route || linked.has(name)) return code;
          if (isWord(shown) || isInsideLink(line, at)) return code;
          linked.add(name);
          return `[\`${shown}\`](${relativeRoute(route, target)})`;
        });
      })
      .join("\n"),
  );
}

/** `empty` is a stop reason and `run` a method as often as they are functions; `empty()` is a function. */
function isWord(shown: string): boolean {
  return /^[a-z]+$/.test(shown);
}

function isInsideLink(line: string, at: number): boolean {
  const before = line.slice(0, at);
  return before.lastIndexOf("[") > before.lastIndexOf("]") && /\]\(/.test(line.slice(at));
}
