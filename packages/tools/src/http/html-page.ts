import { createRequire } from "node:module";
import type TurndownService from "turndown";
import { addListRule, addTableRules } from "./markdown-rules.ts";
import { textOfHtml } from "./text-of-html.ts";

/** The content of a page. */
export interface HtmlPage {
  readonly title?: string | undefined;
  readonly markdown: string;
  /** The links of the page, each URL once, in order, up to 1,000. */
  readonly links: readonly { readonly text: string; readonly url: string }[];
  /** Whether the page is longer than the converted part. */
  readonly isCut: boolean;
}

/** How to convert a page. */
export interface ReadHtmlOptions {
  /** URL of the page, to resolve its relative links. */
  readonly url: URL;
  /** Include navigation, header and footer. */
  readonly isWhole: boolean;
}

/** Converts pages. */
export type HtmlReader = (html: string, options: ReadHtmlOptions) => HtmlPage;

/** Longest page that is converted, in characters. */
const MAX_HTML = 1_000_000;

/** Most opening and closing tags that are converted. */
const MAX_TAGS = 60_000;

/** Deepest nesting that is converted. */
const MAX_DEPTH = 400;

/** Most characters of Markdown that are returned. */
const MAX_MARKDOWN = 2_000_000;

/** Most links that are returned. */
const MAX_LINKS = 1_000;

/** Longest URL that is kept, in characters. */
const MAX_URL = 4_000;

/** Elements that are never content. */
const NEVER =
  "script, style, noscript, template, svg, canvas, iframe, object, embed, link, meta, dialog, input, select, textarea, button";

/** Elements around the content. */
const AROUND =
  "nav, header, footer, aside, form, [role=navigation], [role=banner], [role=contentinfo], [role=search], [aria-hidden=true], [hidden]";

/** A main element with fewer characters than this is not the content. */
const LEAST_MAIN = 200;

interface Domino {
  createDocument(html: string, force: boolean): Document;
}

/** Loads the libraries for converting HTML. */
export async function loadHtmlReader(): Promise<HtmlReader> {
  const { default: Turndown } = await import("turndown");
  // The DOM that turndown works on. An import would require its types, which are outdated and not a module.
  const require = createRequire(import.meta.url);
  const domino = require("@mixmark-io/domino") as Domino;
  return (html, options) => readHtml(html, options, domino, Turndown);
}

function readHtml(html: string, options: ReadHtmlOptions, domino: Domino, Turndown: typeof TurndownService): HtmlPage {
  const { end, isTooDeep } = survey(html);
  const source = html.slice(0, end);
  const isCut = end < html.length;
  if (isTooDeep) return { markdown: textOfHtml(source), links: [], isCut };
  const document = domino.createDocument(source, true);
  const title = (document.querySelector("title")?.textContent ?? "").replaceAll(/\s+/g, " ").trim().slice(0, 300);
  remove(document, NEVER);
  const base = baseOf(document, options.url);
  const links = resolveLinks(document, base);
  const root = options.isWhole ? document.body : mainOf(document);
  const service = new Turndown({ headingStyle: "atx", codeBlockStyle: "fenced", bulletListMarker: "-", hr: "---" });
  addTableRules(service);
  addListRule(service);
  const lines = service.turndown(root).split("\n");
  const markdown = lines
    .map((line) => line.trimEnd())
    .join("\n")
    .replaceAll(/\n{3,}/g, "\n\n")
    .trim();
  return {
    ...(title === "" ? {} : { title }),
    markdown: markdown.slice(0, MAX_MARKDOWN),
    links,
    isCut: isCut || markdown.length > MAX_MARKDOWN,
  };
}

/** Not all lists that domino returns are iterable. */
function all(root: Document | Element, selector: string): HTMLElement[] {
  return Array.from(root.querySelectorAll<HTMLElement>(selector));
}

function remove(root: Document | Element, selector: string): void {
  // From the end: the cost of removing a child grows with the number of its later siblings.
  for (const element of all(root, selector).toReversed()) element.remove();
}

/** The part with the content, without navigation and the like; the whole page if no part is marked. */
function mainOf(document: Document): HTMLElement {
  const { body } = document;
  const lengthOf = (element: Element): number => (element.textContent ?? "").replaceAll(/\s+/g, " ").length;
  for (const selector of ["main, [role=main]", "article"]) {
    const found = all(document, selector).slice(0, 100);
    // A page with several articles is a list of them: none of them alone is the content.
    if (selector === "article" && found.length !== 1) continue;
    const [longest] = found.toSorted((a, b) => lengthOf(b) - lengthOf(a));
    if (longest === undefined || lengthOf(longest) < LEAST_MAIN) continue;
    remove(longest, "nav, aside, [role=navigation], [aria-hidden=true], [hidden]");
    return longest;
  }
  const before = lengthOf(body);
  const copy = body.cloneNode(true) as HTMLElement;
  remove(copy, AROUND);
  return lengthOf(copy) >= Math.min(before, LEAST_MAIN) ? copy : body;
}

function baseOf(document: Document, url: URL): URL {
  const href = document.querySelector("base[href]")?.getAttribute("href") ?? "";
  return href.length < MAX_URL && URL.canParse(href, url) ? new URL(href, url) : url;
}

/** Makes link URLs absolute, removes links that lead nowhere, and lists the rest. */
function resolveLinks(document: Document, base: URL): HtmlPage["links"] {
  const links = new Map<string, string>();
  for (const element of all(document, "a[href], img[src]")) {
    const name = element.tagName === "IMG" ? "src" : "href";
    const given = element.getAttribute(name) ?? "";
    const url = given.length < MAX_URL && URL.canParse(given, base) ? new URL(given, base) : undefined;
    if (url === undefined || (url.protocol !== "https:" && url.protocol !== "http:" && url.protocol !== "mailto:")) {
      element.removeAttribute(name);
      continue;
    }
    element.setAttribute(name, url.href);
    if (name === "src" || url.protocol === "mailto:") continue;
    const text = (element.textContent ?? "").replaceAll(/\s+/g, " ").trim().slice(0, 100);
    const isHere = given.startsWith("#");
    if (!isHere && text !== "" && !links.has(url.href) && links.size < MAX_LINKS) links.set(url.href, text);
  }
  return [...links].map(([url, text]) => ({ text, url }));
}

/** Tags that are closed implicitly by the ones that follow. */
const UNCLOSED =
  /^(?:area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr|p|li|t[drh]|thead|tbody|d[td]|option)$/i;

/** How much of a page can be converted, and whether its tags are nested too deeply. */
function survey(html: string): { readonly end: number; readonly isTooDeep: boolean } {
  let [depth, tags] = [0, 0];
  for (const { index, 1: close, 2: name = "" } of html.matchAll(/<(\/?)([a-z][a-z0-9]*)/gi)) {
    if (index >= MAX_HTML || ++tags > MAX_TAGS) return { end: index, isTooDeep: false };
    if (UNCLOSED.test(name)) continue;
    depth = Math.max(0, depth + (close === "/" ? -1 : 1));
    if (depth > MAX_DEPTH) return { end: Math.min(html.length, MAX_HTML), isTooDeep: true };
  }
  return { end: Math.min(html.length, MAX_HTML), isTooDeep: false };
}
