import type TurndownService from "turndown";

/** Adds tables to turndown: a line of cells per row, the first row as the header. */
export function addTableRules(service: TurndownService): void {
  service.addRule("table-cell", {
    filter: ["td", "th"],
    replacement: (content) =>
      `| ${content
        .trim()
        .replaceAll(/\s*\n\s*/g, " ")
        .replaceAll("|", String.raw`\|`)} `,
  });
  service.addRule("table-row", {
    filter: "tr",
    replacement: (content, row) => {
      const line = content.replaceAll("\n", "").trim();
      if (line === "") return "";
      const isFirst = isFirstRow(row);
      const cells = row.childNodes.length;
      return `\n${line} |${isFirst ? `\n${"| --- ".repeat(Math.min(countCells(row), cells))}|` : ""}`;
    },
  });
  service.addRule("table-part", { filter: ["thead", "tbody", "tfoot"], replacement: (content) => content });
  service.addRule("table", { filter: "table", replacement: (content) => `\n\n${content.trim()}\n\n` });
}

function isFirstRow(row: Node): boolean {
  const part = row.parentNode;
  const isFirstIn = (node: Node): boolean => {
    let before = node.previousSibling;
    while (before !== null && !/^(?:TR|THEAD|TBODY)$/.test(before.nodeName)) before = before.previousSibling;
    return before === null;
  };
  return isFirstIn(row) && (part === null || part.nodeName === "TABLE" || isFirstIn(part));
}

function countCells(row: Node): number {
  return [...row.childNodes].filter(({ nodeName }) => nodeName === "TD" || nodeName === "TH").length;
}

/** Lists as in turndown, but with a counter: turndown searches the whole list for the number of each item. */
export function addListRule(service: TurndownService): void {
  const numbers = new WeakMap<Node, number>();
  service.addRule("list-item", {
    filter: "li",
    replacement: (content, item) => {
      const list = item.parentNode;
      let prefix = "- ";
      if (list?.nodeName === "OL") {
        const start = Number((list as Element).getAttribute("start") ?? "1");
        const number = numbers.get(list) ?? (Number.isSafeInteger(start) ? start : 1);
        numbers.set(list, number + 1);
        prefix = `${number}. `;
      }
      const text = content.trim().replaceAll("\n", `\n${" ".repeat(prefix.length)}`);
      return `${prefix}${text}${item.nextSibling === null ? "" : "\n"}`;
    },
  });
}
