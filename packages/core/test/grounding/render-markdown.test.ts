import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { renderMarkdown } from "../../src/grounding/render-markdown.ts";
import type { Citation, Source } from "../../src/grounding/sources.ts";
import { growthOf } from "../helpers/growth.ts";

const SOURCES: Source[] = [1, 2, 3].map((number) => ({
  number,
  kind: "web",
  uri: `https://s${number}.example/`,
  title: `s${number}`,
  chunk: {},
}));
const LIST = "\n\n---\n\n1. [s1](https://s1.example/)\n2. [s2](https://s2.example/)\n3. [s3](https://s3.example/)\n";

function cited(text: string, segment: string, ...sources: number[]): Citation {
  const start = text.indexOf(segment);
  return { start, end: start + segment.length, text: segment, sources, match: "exact" };
}

function marked(text: string, ...citations: Citation[]): string {
  const rendered = renderMarkdown({ text, citations, sources: SOURCES });
  expect(rendered.endsWith(LIST)).toBe(true);
  return rendered.slice(0, -LIST.length);
}

describe("renderMarkdown", () => {
  test("sets the markers behind each range and lists the sources", () => {
    const text = "Oslo won. Bergen lost.";
    expect(
      renderMarkdown({
        text,
        citations: [cited(text, "Oslo won.", 1), cited(text, "Bergen lost.", 2, 3)],
        sources: SOURCES,
      }),
    ).toBe(`Oslo won.[1] Bergen lost.[2][3]${LIST}`);
  });

  test.each([
    ["an empty one", "So:\n```\n```", ""],
    ["one of several", "So:\n~~~\n~~~\n```js\nx\n```\nDone.", ""],
    ["one whose last line has other marks", "So:\n```\nx\n```~", "\n```"],
    ["an empty one that is open", "So:\n~~~~", "\n~~~~"],
  ])("closes no code block but one that is open: %s", (_which, text, closing) => {
    expect(marked(text)).toBe(text + closing);
  });

  test("names the pages of a document", () => {
    const page = (number: number, pageNumber: number): Source => ({
      number,
      kind: "document",
      title: "Manual",
      pageNumber,
      chunk: {},
    });
    expect(renderMarkdown({ text: "Turn it.", citations: [], sources: [page(1, 7), page(2, 8)] })).toBe(
      "Turn it.\n\n---\n\n1. Manual, page 7\n2. Manual, page 8\n",
    );
  });

  test("leaves a text without sources as it is", () => {
    expect(renderMarkdown({ text: "Oslo won. \n", citations: [], sources: [] })).toBe("Oslo won. \n");
  });

  test("merges citations that end at one place, ascending and once each", () => {
    const text = "Oslo won.";
    expect(marked(text, cited(text, "Oslo won.", 3), cited(text, "won.", 1, 3))).toBe("Oslo won.[1][3]");
  });

  test.each<[string, string, string, string]>([
    ["before the end of the line", "One.\n- Two.", "One.\n", "One.[1]\n- Two."],
    ["inside a table's last cell", "| a | b |\n", "| a | b |\n", "| a | b[1] |"],
    ["behind inline code", "Call `f(x)` now.", "Call `f(", "Call `f(x)`[1] now."],
    [
      "behind a link",
      "See [the page](https://a.example/b_(c)) now.",
      "See [the",
      "See [the page](https://a.example/b_(c))[1] now.",
    ],
    [
      "behind an address, apart from it",
      "See https://a.example/b now.",
      "See https://a",
      "See https://a.example/b [1] now.",
    ],
    ["behind the marks of bold text", "**Oslo won**, they say.", "**Oslo won*", "**Oslo won**[1], they say."],
    [
      "behind a code block, in a paragraph",
      "Run:\n```js\nf();\ng();\n```\nDone.",
      "f();",
      "Run:\n```js\nf();\ng();\n```\n\n[1]\n\n\nDone.",
    ],
    ["so that it does not become the text of a link", "Oslo(Norway) won.", "Oslo", "Oslo\\[1\\](Norway) won."],
    ["never inside a character", "Won 😀!", "Won \ud83d", "Won 😀[1]!"],
  ])("sets a marker %s", (_name, text, segment, expected) => {
    expect(marked(text, cited(text, segment, 1))).toBe(expected);
  });

  test("closes a code block that was cut off, so that the list stays a list", () => {
    expect(marked("Run:\n```js\nf();")).toBe("Run:\n```js\nf();\n```");
  });

  test("skips ranges that are empty or past the end", () => {
    expect(
      marked(
        "Oslo.",
        { start: 5, end: 5, text: "x", sources: [1], match: "unverified" },
        { start: 9, end: 12, text: "x", sources: [2], match: "unverified" },
      ),
    ).toBe("Oslo.");
  });

  test.each<[string, Partial<Source>, string]>([
    [
      "escapes a title",
      { title: "a [b] *c* <d>\n`e`", uri: "https://a.example/" },
      "[a \\[b\\] \\*c\\* \\<d\\> \\`e\\`](https://a.example/)",
    ],
    [
      "escapes an address",
      { title: "t", uri: "https://a.example/(x y)<z>" },
      "[t](https://a.example/%28x%20y%29%3Cz%3E)",
    ],
    ["falls back on the address", { uri: "https://a.example/b" }, "[https://a.example/b](https://a.example/b)"],
    ["falls back on the kind", {}, "document"],
    ["does not link what is not a web address", { title: "t", uri: "javascript:alert(1)" }, "t (javascript:alert(1))"],
  ])("%s in the list", (_name, fields, entry) => {
    const source: Source = { number: 1, kind: "document", chunk: {}, ...fields };
    expect(renderMarkdown({ text: "x", citations: [], sources: [source] })).toBe(`x\n\n---\n\n1. ${entry}\n`);
  });

  test("changes nothing in any text except the markers, and splits no character", () => {
    const pieces = fc.array(
      fc.constantFrom(
        "word ",
        "😀",
        "漢",
        "`code`",
        "[a](https://b.example/)",
        "https://c.example/d ",
        "\n",
        "```\nx\n```\n",
        "**b**",
        "|",
        "(",
        "~~~\n",
      ),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(pieces, fc.array(fc.tuple(fc.nat(120), fc.nat(120)), { maxLength: 8 }), (parts, ranges) => {
        const text = parts.join("");
        const citations = ranges.map(([start, length]): Citation => ({
          start,
          end: start + length,
          text: "",
          sources: [1],
          match: "unverified",
        }));
        const rendered = renderMarkdown({ text, citations, sources: SOURCES });
        expect(() => encodeURIComponent(rendered)).not.toThrow(); // throws on half a character
        const body = rendered.slice(0, rendered.lastIndexOf("\n\n---\n\n")).replace(/\\\[1\\\]|\[1\]/g, "");
        const open = /\n(?:```|~~~)$/.exec(body)?.[0] ?? "";
        expect([body, body.slice(0, body.length - open.length)].map((each) => each.replace(/\s+/g, ""))).toContain(
          text.replace(/\s+/g, ""),
        );
      }),
    );
  });

  test.each(["[", "`", "![", "<a", "[a](", "```\n", "https://"])(
    "takes time in proportion to the text, also of %j that never close",
    (hostile) => {
      const citations: readonly Citation[] = [{ start: 0, end: 5, text: "", sources: [1], match: "exact" }];
      const render = (times: number): string =>
        renderMarkdown({ text: hostile.repeat(times), citations, sources: SOURCES });
      // Quadratic work would take 64 times as long.
      expect(growthOf(render, 5000, 8)).toBeLessThan(32);
    },
  );
});
