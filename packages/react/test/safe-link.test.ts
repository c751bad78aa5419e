import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { SafeLink } from "../src/safe-link.tsx";

/** A link as it is shown: what it says, with the host that it names in brackets, and whether it leads anywhere. */
function shown(href: string, text: string): { readonly says: string; readonly leads: boolean } {
  const html = renderToStaticMarkup(createElement(SafeLink, { href }, text));
  const says = html.replaceAll(/<span class="link-host"> ([^<]*)<\/span>/g, " [$1]").replaceAll(/<[^>]*>/g, "");
  return { says, leads: html.startsWith("<a ") };
}

test.each([
  ["https://example.com/docs", "the docs", "the docs [example.com]"],
  ["https://www.example.com/docs", "the docs", "the docs [example.com]"],
  ["https://example.com/docs", "https://example.com/docs", "https://example.com/docs"],
  ["https://example.com/docs", "example.com", "example.com"],
  ["https://example.com/docs", "www.Example.com/docs", "www.Example.com/docs"],
  ["http://localhost:3000/", "localhost:3000", "localhost:3000"],
  ["https://evil.example/", "https://bank.example/", "https://bank.example/ [evil.example]"],
  ["https://bank.example.evil.example/", "bank.example", "bank.example [bank.example.evil.example]"],
  ["https://evil.example/", "notevil.example", "notevil.example [evil.example]"],
  ["https://evil.example/", "bank.example/evil.example", "bank.example/evil.example [evil.example]"],
  ["https://evil.example/", "https://bank.example@evil.example", "https://bank.example@evil.example [evil.example]"],
  ["https://evil.example/", "bank.example, not evil.example", "bank.example, not evil.example [evil.example]"],
  // Cyrillic letters.
  ["https://аррle.com/", "https://аррle.com/", "https://аррle.com/ [xn--le-6kc8da.com]"],
  ["https://xn--le-6kc8da.com/", "apple.com", "apple.com [xn--le-6kc8da.com]"],
  // An address that leads anywhere may end there.
  ["https://vertexaisearch.cloud.google.com/r/1", "bank.example", "bank.example [vertexaisearch.cloud.google.com]"],
])("a link to %s that says “%s” names its host unless it is what it says", (href, text, says) => {
  expect(shown(href, text)).toEqual({ says, leads: true });
});

test.each([
  ["javascript:alert(1)"],
  ["JaVaScRiPt:alert(1)"],
  ["data:text/html,<script>alert(1)</script>"],
  ["vbscript:msgbox"],
  ["file:///etc/passwd"],
  ["mailto:a@example.com"],
  ["/relative"],
  ["#place"],
  [""],
  ["https://bank.example@evil.example/"],
  ["https://user:password@evil.example/"],
])("%s is no link", (href) => {
  expect(shown(href, "bank.example")).toEqual({ says: "bank.example", leads: false });
});
