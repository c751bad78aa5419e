import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { Markdown } from "../../src/markdown/markdown.tsx";

/** A text as it is shown, with the footnotes of a page in brackets. */
function shown(text: string, ...cited: readonly (readonly [quote: string, ...sources: string[]])[]): string {
  const citations = cited.map(([quote, ...sources]) => {
    const start = text.indexOf(quote);
    return { start, end: start + quote.length, sources };
  });
  return renderToStaticMarkup(createElement(Markdown, { text, messageId: "m", citations, isWriting: false }))
    .replaceAll(/<sup><a [^>]*>(\d+)<\/a><\/sup>/g, "[$1]")
    .replaceAll(/^<div class="markdown" dir="auto">|<\/div>$/g, "");
}

test.each([
  ["behind a range", "It rains. It pours.", [["It rains", "1"]], "<p>It rains[1]. It pours.</p>"],
  [
    "by UTF-16 units, as the ranges are",
    "🌧️ in Malmö, 雨 in 東京: it 😀 rains.",
    [
      ["🌧️ in Malmö", "1"],
      ["雨 in 東京", "2"],
      ["it 😀 rains", "3"],
    ],
    "<p>🌧️ in Malmö[1], 雨 in 東京[2]: it 😀 rains[3].</p>",
  ],
  ["of several sources, in their order", "It rains.", [["rains", "10", "2"]], "<p>It rains[2][10].</p>"],
  [
    "each once where several ranges end",
    "It rains in Oslo.",
    [
      ["It rains in Oslo", "3", "1"],
      ["in Oslo", "1", "2"],
    ],
    "<p>It rains in Oslo[1][2][3].</p>",
  ],
  [
    "of ranges that overlap",
    "It rains in Oslo today.",
    [
      ["It rains in", "1"],
      ["rains in Oslo", "2"],
      ["It rains in Oslo today", "3"],
    ],
    "<p>It rains in[1] Oslo[2] today[3].</p>",
  ],
  [
    "inside of formatting",
    "It **rains in Oslo** now.",
    [["rains", "1"]],
    "<p>It <strong>rains[1] in Oslo</strong> now.</p>",
  ],
  [
    "at the end of formatting",
    "It **rains in Oslo**.",
    [["**rains in Oslo**", "1"]],
    "<p>It <strong>rains in Oslo[1]</strong>.</p>",
  ],
  [
    "behind escapes and character references",
    String.raw`5 \* 3 &amp; more\. It rains. Or not.`,
    [["It rains", "1"]],
    "<p>5 * 3 &amp; more. It rains[1]. Or not.</p>",
  ],
  [
    "in the text before code that a range ends in",
    "Call `run()` now.",
    [["Call `run()", "1"]],
    "<p>Call [1]<code>run()</code> now.</p>",
  ],
  ["nowhere for a range before the first text", "It rains.", [["", "1"]], "<p>It rains.</p>"],
  ["in a list", "- It rains\n- It pours", [["It pours", "1"]], "<ul>\n<li>It rains</li>\n<li>It pours[1]</li>\n</ul>"],
] as const)("footnotes are put %s", (_where, text, cited, expected) => {
  expect(shown(text, ...cited)).toBe(expected);
});
