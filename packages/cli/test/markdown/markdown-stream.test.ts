import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type MarkdownOptions, MarkdownStream } from "../../src/markdown/markdown-stream.ts";
import { columnsOf } from "../../src/terminal-text.ts";

type Options = Partial<Omit<MarkdownOptions, "width">> & { readonly width?: number };

function streamOf({ width = 40, ...options }: Options = {}): MarkdownStream {
  return new MarkdownStream({ indent: 0, links: false, styles: [], ...options, width: () => width });
}

/** What a terminal gets of a text that comes in these pieces. */
function shown(pieces: string | readonly string[], options?: Options): string {
  const stream = streamOf(options);
  const parts = typeof pieces === "string" ? [pieces] : pieces;
  return parts.map((piece) => stream.push(piece)).join("") + stream.end();
}

/** The same without colors. */
function plain(pieces: string | readonly string[], options?: Options): string {
  return stripVTControlCharacters(shown(pieces, options));
}

describe("blocks", () => {
  test.each([
    ["headings", "# One\n## Two\nText", "One\n\nTwo\n\nText\n"],
    ["a heading with hashes behind it", "# One ##\n", "One\n"],
    ["no heading of a line with equal signs below", "Title\n===\n", "Title\n===\n"],
    ["line breaks as they are", "one\ntwo<br>three  \nfour", "one\ntwo\nthree\nfour\n"],
    ["paragraphs", "one\n\n\n\ntwo", "one\n\ntwo\n"],
    ["lists", "Do:\n- one\n- two\n  - three\n\nSo.", "Do:\n• one\n• two\n  • three\n\nSo.\n"],
    ["lists with empty lines", "- one\n\n- two\n\n  more\n- three", "• one\n\n• two\n\n  more\n• three\n"],
    ["numbers as they are", "3. three\n4) four\n10. ten\n    - deep", "3. three\n4) four\n10. ten\n    • deep\n"],
    ["task lists", "- [x] done\n- [ ] open\n1. [X] first", "✓ done\n☐ open\n1. ✓ first\n"],
    ["empty items", "- \n- two", "•\n• two\n"],
    ["quotes", "> one\n> two\n>\n> - three\n\nfour", "│ one\n│ two\n│\n│ • three\n\nfour\n"],
    ["rules", "one\n\n---\n\ntwo", `one\n\n${"─".repeat(40)}\n\ntwo\n`],
    ["code", "```ts\nconst a = 1;\n\n\tb();\n```\nText", "╭─ ts\nconst a = 1;\n\n\tb();\n╰─\nText\n"],
    ["code without an end", "```\na", "╭─\na\n╰─\n"],
    ["empty code", "```\n```\n", "╭─\n╰─\n"],
    ["code in a list", "1. a\n   ```sh title=x\n   ls\n   ```\n2. b", "1. a\n   ╭─ sh\n   ls\n   ╰─\n2. b\n"],
    [
      "HTML as it is",
      "<details>\n<b>x</b>\n</details>\n\nA <b>word</b>.",
      "<details>\n<b>x</b>\n</details>\n\nA <b>word</b>.\n",
    ],
    ["entities", "a &lt;b&gt; &amp;amp; &#65;&#x42; &nope;", "a <b> &amp; AB &nope;\n"],
    ["escapes", "\\*not\\* 2 * 3 snake_case_name", "*not* 2 * 3 snake_case_name\n"],
    ["what is not closed", "an **open [one `two <three", "an **open [one `two <three\n"],
    [
      "notes and names of links",
      "see [1] and [a][2]\n\n[2]: https://a.example",
      "see [1] and [a][2]\n\n[2]: https://a.example\n",
    ],
  ])("show %s", (_what, source, out) => {
    expect(plain(source)).toBe(out);
    expect(plain(Array.from(source))).toBe(out);
  });

  test("are colored", () => {
    expect(shown("# *A*\n**b** `c`\n\n~~d~~ *e*")).toBe(
      "\u001b[1m\u001b[4m\u001b[3mA\u001b[23m\u001b[24m\u001b[22m\n\n\u001b[1mb\u001b[22m \u001b[36mc\u001b[39m\n\n\u001b[9md\u001b[29m \u001b[3me\u001b[23m\n",
    );
  });

  test("are all in the style of what they are in", () => {
    expect(shown("a", { styles: ["dim"] })).toBe("\u001b[2ma\u001b[22m\n");
    expect(shown("```\na\n```", { styles: ["dim"] })).toBe(
      "\u001b[2m╭─\u001b[22m\n\u001b[2ma\u001b[22m\n\u001b[2m╰─\u001b[22m\n",
    );
  });
});

describe("lines", () => {
  const text = "One two three four five six seven eight nine ten.";

  test("break between words, under the text of their block", () => {
    expect(plain(`${text}\n\n1. ${text}\n\n> - ${text}`, { width: 30, indent: 2 })).toBe(
      `  One two three four five six
  seven eight nine ten.

  1. One two three four five
     six seven eight nine ten.

  │ • One two three four five
  │   six seven eight nine
  │   ten.
`,
    );
  });

  test("are not broken without a width", () => {
    expect(plain(text.repeat(20), { width: Infinity })).toBe(`${text.repeat(20)}\n`);
  });

  test("of code and words that are longer than a line are left to the terminal", () => {
    const long = "x".repeat(60);
    expect(plain(`a ${long} b\n\`\`\`\n${long} ${long}\n\`\`\``)).toBe(`a\n${long} b\n╭─\n${long} ${long}\n╰─\n`);
  });

  test("take two columns for East Asian characters and emoji, and break between the former", () => {
    expect(plain("日本語のテキストは、長い。", { width: 10 })).toBe("日本語のテ\nキストは、\n長い。\n");
    expect(plain("👨‍👩‍👧 🇳🇴 ❤️ 👍🏽 é ab", { width: 11 })).toBe("👨‍👩‍👧 🇳🇴 ❤️ 👍🏽\né ab\n");
  });

  test("take the width that the terminal has by then", () => {
    let width = 40;
    const stream = new MarkdownStream({ indent: 0, links: false, styles: [], width: () => width });
    const before = stream.push("one two three four five six seven eight ");
    width = 20;
    expect(before + stream.push("nine ten eleven twelve thirteen") + stream.end()).toBe(
      "one two three four five six seven eight\nnine ten eleven\ntwelve thirteen\n",
    );
  });
});

describe("links", () => {
  const source = "See [the *guide*](https://docs.example/a?b=c) and https://b.example/x.";

  test("have their address beside the text", () => {
    expect(plain(source, { width: 100 })).toBe("See the guide (https://docs.example/a?b=c) and https://b.example/x.\n");
  });

  test("are opened by a terminal that does, and name their host", () => {
    expect(shown("[the guide](https://docs.example/a)", { links: true })).toBe(
      "\u001b]8;;https://docs.example/a\u0007\u001b[4mthe\u001b[24m\u001b]8;;\u0007\u001b]8;;https://docs.example/a\u0007\u001b[4m \u001b[24m\u001b]8;;\u0007\u001b]8;;https://docs.example/a\u0007\u001b[4mguide\u001b[24m\u001b]8;;\u0007 \u001b[2m(docs.example)\u001b[22m\n",
    );
  });

  test.each([
    ["[https://good.example](https://evil.example/x)", "https://good.example (evil.example)\n"],
    ["[good.example](http://evil.example)", "good.example (evil.example)\n"],
    ["https://good.example@evil.example/", "https://good.example@evil.example/ (evil.example)\n"],
    ["[ ](https://evil.example)", "https://evil.example\n"],
    ["[a](https://gооd.example)", "a (xn--gd-fmca.example)\n"],
    ["[a](javascript:alert(1))", "a (javascript:alert(1))\n"],
    ["![a cat](https://cats.example/1.png)", "a cat (cats.example)\n"],
    ["me@mail.example", "me@mail.example\n"],
    ["[me](mailto:me@mail.example)", "me (mailto:me@mail.example)\n"],
    ["www.a.example", "www.a.example\n"],
  ])("hide no host: %s", (link, out) => {
    expect(plain(link, { links: true, width: 100 })).toBe(out);
  });
});

describe("tables", () => {
  const source = `| City | People | To see |
| --- | ---: | :-: |
| Oslo | 709,037 | The **opera** and the fjord |
| 東京 | 14,000,000 | 浅草寺 |
`;

  test("are as wide as their text where that fits", () => {
    expect(plain(source, { width: 80 })).toBe(
      `\
City │     People │         To see
─────┼────────────┼──────────────────────────
Oslo │    709,037 │ The opera and the fjord
東京 │ 14,000,000 │         浅草寺
`.replace("─".repeat(26), "─".repeat(24)),
    );
  });

  test("wrap their cells between words", () => {
    expect(plain(source, { width: 32 })).toBe(`\
City │     People │    To see
─────┼────────────┼─────────────
Oslo │    709,037 │  The opera
     │            │   and the
     │            │    fjord
─────┼────────────┼─────────────
東京 │ 14,000,000 │    浅草寺
`);
  });

  test("are lists where their words don't fit side by side", () => {
    expect(plain(source, { width: 20 })).toBe(`\
City: Oslo
People: 709,037
To see: The opera
and the fjord
──────────
City: 東京
People: 14,000,000
To see: 浅草寺
`);
  });

  test("are shown once they are complete", () => {
    const stream = streamOf({ width: 80 });
    expect(stream.push(`Here:\n\n${source}`)).toBe("Here:");
    expect(stripVTControlCharacters(stream.push("\n"))).toMatch(/^\n\nCity │[^]*浅草寺\n$/);
  });
});

describe("while it arrives", () => {
  /** What each piece adds. */
  function added(...pieces: readonly string[]): string[] {
    const stream = streamOf();
    return pieces.map((piece) => stripVTControlCharacters(stream.push(piece)));
  }

  test("a word is shown once it is complete", () => {
    expect(added("One tw", "o thr", "ee\n\nfo", "ur ")).toEqual(["One", " two", " three", "\n\nfour"]);
  });

  test("what is open is shown once it is closed", () => {
    expect(added("a **b", " c", "** d [e", "](http", "s://e.example) f ")).toEqual([
      "a",
      "",
      " b c d",
      "",
      " e (https://e.example) f",
    ]);
  });

  test("code is shown line by line", () => {
    expect(added("```t", "s\nle", "t a;\nlet", " b;", "\n``", "`\n")).toEqual([
      "",
      "╭─ ts\n",
      "let a;\n",
      "",
      "let b;\n",
      "╰─\n",
    ]);
  });

  test("something else may be written in between", () => {
    const stream = streamOf();
    const out =
      stream.push("One **two ") + stream.breakLine() + "(note)\n" + stream.push("three** four") + stream.end();
    expect(stripVTControlCharacters(out)).toBe("One\n(note)\ntwo three four\n");
  });

  test("a table without bars around it is shown as one, after its head was shown as text", () => {
    expect(plain(["City ", "is ", "| People\n--- | ---\nOslo | 7\n"])).toBe(
      "City is\nCity is │ People\n────────┼───────\nOslo    │ 7\n",
    );
  });

  test("a long answer takes time for its length only", () => {
    const stream = streamOf();
    let code = "";
    stream.push("```\n");
    for (let line = 0; line < 5000; line++) code += stream.push(`line ${line}\n`);
    expect(code.split("\n")).toHaveLength(5001);
    expect(stream.push("```\n\n")).toContain("╰─");
    const list = Array.from({ length: 2000 }, (_, item) => stream.push(`- item ${item}\n`)).join("") + stream.end();
    expect(list.split("\n")).toHaveLength(2002);
  });

  test("however deep emphasis is nested, a word has each style once", () => {
    const deep = "**a *b ".repeat(50) + "c* d** ".repeat(50);
    expect(shown(deep.match(/[^]{1,9}/g) ?? []).length).toBeLessThan(30 * deep.length);
  });

  test("what was wrong is written a second time only, at the end of its block", () => {
    const stream = streamOf({ width: 80 });
    const rows = Array.from({ length: 20 }, (_, row) => `${row} | ${row}\n`).join("");
    const pieces = Array.from(`x y | z\n--|--\n${rows}\nEnd.`);
    const out = stripVTControlCharacters(pieces.map((piece) => stream.push(piece)).join("") + stream.end());
    expect(out.match(/x y/g)).toHaveLength(2);
    expect(out.match(/^7 /gm)).toHaveLength(1);
    expect(out).toMatch(/\n\nEnd\.\n$/);
  });

  test("a block without end is cut", () => {
    const words = "a_b ".repeat(4000);
    expect(plain(words.match(/[^]{1,100}/g) ?? []).replaceAll(/\s+/g, " ")).toBe(words);
    expect(plain("x".repeat(20_000)).replaceAll("\n", "")).toBe("x".repeat(20_000));
    expect(plain(">".repeat(20_000)).replaceAll(/\s/g, "")).not.toBe("");
  });
});

/** Inline Markdown, also what is never closed. */
const INLINE = fc.constantFrom(
  "word",
  "two words",
  "**bold text**",
  "**bo**ld,",
  "*it*",
  "***both***",
  "`code`",
  "``a ` b``",
  "[a link](https://a.example/b)",
  "[**b**](https://a.example)",
  "![image](https://a.example/b)",
  "https://b.example/c.",
  "~~gone~~",
  "[1]",
  "[",
  "]",
  "**",
  "*",
  "*a",
  "_",
  "snake_case_",
  "`",
  "~~",
  "<",
  "<br>",
  "a<b>c",
  "&amp;",
  "\\*",
  "漢字。",
  "**太字**",
  "👨‍👩‍👧",
  "2 * 3",
  "1.",
  "- x",
  "#1",
);
const line = fc
  .tuple(fc.constantFrom("Word ", "漢"), fc.array(INLINE, { maxLength: 6 }), fc.constantFrom(" ", ""))
  .map(([first, parts, glue]) => (first + parts.join(glue)).trimEnd());
const CODE = "```ts\nconst a = 1;\n\n// **b**\n```";
const TABLE = "| a | b |\n|---|--:|\n| **1** | 2 `x` |\n| 3 | |";
const item = fc
  .tuple(
    fc.constantFrom("- ", "1. ", "10) ", "* [x] ", "- [ ] "),
    line,
    fc.constantFrom("", `\n\n${CODE}`, "\n- deep", "\n\nmore"),
  )
  .map(
    ([bullet, text, below]) => bullet + text + below.replaceAll(/\n(?=.)/g, `\n${" ".repeat(bullet.search(/\s/) + 1)}`),
  );
const simple = fc.oneof(
  fc.array(line, { minLength: 1, maxLength: 3 }).map((lines) => lines.join("\n")),
  fc.array(item, { minLength: 1, maxLength: 4 }).map((items) => items.join("\n")),
  fc.array(item, { minLength: 1, maxLength: 3 }).map((items) => items.join("\n\n")),
  line.map((text) => `## ${text}`),
  fc.constantFrom(CODE, TABLE, "---", "<details>\n<i>x</i>\n</details>", "    indented\n    code"),
);
const block = fc.oneof(
  { weight: 5, arbitrary: simple },
  { weight: 1, arbitrary: simple.map((text) => text.replaceAll(/^/gm, "> ")) },
);
const texts = fc.array(block, { maxLength: 5 }).map((blocks) => blocks.join("\n\n"));

/** Marks in any order: nothing but chance makes sense of them. */
const noise = fc.array(
  fc.oneof(
    INLINE,
    fc.constantFrom(
      " ",
      "\n",
      "\n\n",
      "\n\t- ",
      "\t",
      "\n- ",
      "\n  - ",
      "\n> ",
      "\n# ",
      "\n```",
      "|",
      "\n|--|\n",
      "&#27;[2j",
      "&#x9b;2j",
      "&#8238;",
      "[a](https://a.example/\u202eb)",
    ),
  ),
  { maxLength: 25 },
);

describe("of any text", () => {
  test("nothing but colors, links, tabs and line feeds reaches the terminal as a control character", () => {
    fc.assert(
      fc.property(noise, (parts) => {
        const out = shown(parts, { links: true });
        expect(out.replaceAll(/\u001b\[\d+m|\u001b\]8;;[\u0021-\u007e]*\u0007/g, "")).not.toMatch(
          /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/,
        );
      }),
    );
  });

  test("all letters are shown, in their order", () => {
    const letters = (text: string): string => text.replaceAll(/[^A-Z]/g, "");
    fc.assert(
      fc.property(noise, (parts) => {
        // Not the language of a code block, nor more cells than the head of a table has.
        const marked = parts.map(
          (part, index) => `${part.replaceAll(/`{3}|\|/g, "")}${String.fromCodePoint(65 + index)} `,
        );
        expect(letters(plain(marked.join("")))).toBe(letters(marked.join("")));
        // What was wrong is shown a second time.
        const inPieces = letters(plain(Array.from(marked.join(""))));
        expect(inPieces).toMatch(new RegExp(Array.from(letters(marked.join("")), (letter) => `${letter}.*`).join("")));
      }),
    );
  });

  const hasLongWord = (text: string): boolean => text.split(" ").some((word) => columnsOf(word) > 25);

  test("no line is wider than the terminal, unless a word is", () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 40, max: 200 }), (text, width) => {
        for (const one of plain(text, { width }).split("\n"))
          expect({ one, fits: columnsOf(one) <= width || hasLongWord(one) }).toEqual({ one, fits: true });
      }),
    );
  });

  test("how it is cut into pieces changes nothing", () => {
    fc.assert(
      fc.property(texts, fc.array(fc.integer({ min: 1, max: 12 })), (text, lengths) => {
        const pieces: string[] = [];
        let rest = text;
        for (const length of lengths) {
          pieces.push(rest.slice(0, length));
          rest = rest.slice(length);
        }
        expect(shown([...pieces, ...Array.from(rest)])).toBe(shown(text));
      }),
    );
  });
});
