// @vitest-environment happy-dom
import { act, createElement } from "react";
import { describe, expect, test } from "vitest";
import { Markdown } from "../../src/markdown/markdown.tsx";
import { type Rendered, render, until } from "../support/rendered.ts";

function markdown(text: string, isWriting = false) {
  return createElement(Markdown, { text, messageId: "m", citations: [], isWriting });
}

async function show(text: string, isWriting = false): Promise<Rendered> {
  return await render(markdown(text, isWriting));
}

/** Waits until what is loaded when it is needed has been drawn. */
async function drawn(element: HTMLElement, selector: string): Promise<Element> {
  await until(() => element.querySelector(selector) !== null);
  const found = element.querySelector(selector);
  if (found === null) throw new Error(`there is no ${selector}`);
  return found;
}

describe("nothing that a model writes is HTML or is loaded", () => {
  test.each([
    ["a tag", "<img src=https://evil.example/x onerror=alert(1)>"],
    ["a script", "Before\n\n<script>alert(1)</script>\n\nAfter"],
    ["a frame in a line", "see <iframe src='https://evil.example'></iframe> there"],
    ["an image", "![what](https://evil.example/x.png)"],
    ["an image with a title", `![what](https://evil.example/x.png "title")`],
    ["an image by reference", "![what][1]\n\n[1]: https://evil.example/x.png"],
    ["an image by its own name", "![what]\n\n[what]: https://evil.example/x.png"],
    ["an image by collapsed reference", "![what][]\n\n[what]: <https://evil.example/x.png>"],
    ["an image in a link", "[![what](https://evil.example/x.png)](https://evil.example/)"],
    ["an image in a table", "| a |\n| --- |\n| ![what](https://evil.example/x.png) |"],
    ["an image without words", "![](https://evil.example/x.png)"],
    ["an image that is data", "![what](data:image/svg+xml;base64,PHN2Zy8+)"],
    ["an image in a formula", "$$\\includegraphics{https://evil.example/x.png}$$"],
    ["a style in a formula", "$$\\htmlStyle{background:url(https://evil.example)}{x}$$"],
  ])("%s", async (_name, text) => {
    for (const isWriting of [false, true]) {
      const { element } = await show(text, isWriting);
      if (text.startsWith("$$")) await drawn(element, ".katex, .katex-error");
      const loading =
        "img, script, iframe, object, embed, video, audio, link, style, [src], [srcset], [style*=url], [onerror]";
      expect([...element.querySelectorAll(loading)].map((one) => one.outerHTML)).toEqual([]);
    }
  });

  test("an image is its description, or its address", async () => {
    const { element } = await show("![A cat](https://evil.example/x.png) ![](https://evil.example/y.png)");
    expect([...element.querySelectorAll(".note")].map(({ textContent }) => textContent)).toEqual([
      "A cat",
      "https://evil.example/y.png",
    ]);
  });

  test("an address that may carry something away is text, all of it", async () => {
    const text = "[our site](https://evil.example/?q=secret)";
    const props = { text, messageId: "m", citations: [], isWriting: false, areLinksText: true };
    const { element } = await render(createElement(Markdown, props));
    expect(element.querySelector("a")).toBeNull();
    expect(element.textContent).toBe("our site https://evil.example/?q=secret");
  });

  test("a link that runs something is its text", async () => {
    const { element } = await show(
      "[one](javascript:alert(1)) <javascript:alert(1)> [two][2]\n\n[2]: JAVASCRIPT:alert(1)",
    );
    expect([element.querySelectorAll("a").length, element.textContent.includes("one")]).toEqual([0, true]);
  });

  test("links name their host, by reference too", async () => {
    const { element } = await show("[docs][1] and <https://example.com/a>\n\n[1]: https://evil.example/");
    expect([...element.querySelectorAll("a")].map(({ textContent }) => textContent)).toEqual([
      "docs evil.example",
      "https://example.com/a",
    ]);
  });
});

describe("what is not finished is closed while it is written, and is what it is in the end", () => {
  test.each([
    ["bold words", "It is **very", "<p>It is <strong>very</strong></p>", "<p>It is **very</p>"],
    ["code in a line", "Call `run", "<p>Call <code>run</code></p>", "<p>Call `run</p>"],
    ["words that are crossed out", "~~gone", "<p><del>gone</del></p>", "<p>~~gone</p>"],
  ])("%s", async (_name, text, writing, over) => {
    const { element, again } = await show(text, true);
    expect(element.firstElementChild?.innerHTML).toBe(writing);
    await again(markdown(text));
    expect(element.firstElementChild?.innerHTML).toBe(over);
  });

  test("half a link leads nowhere, and half an image loads nothing", async () => {
    const { element } = await show("See [the docs](https://exam", true);
    expect([element.querySelectorAll("a[href^=http]").length, element.textContent]).toEqual([0, "See the docs"]);
    const image = await show("See ![the cat](https://exam", true);
    expect(image.element.querySelector("img")).toBe(null);
  });

  test("no prefix of a text fails", async () => {
    const text =
      "# A\n\n- [x] **b** `c` [d](https://e.example)\n\n| f | g |\n| - | - |\n| $h$ | i |\n\n```ts\nj\n```\n\n> k";
    const { element, again } = await show("", true);
    for (let end = 1; end <= text.length; end++) await again(markdown(text.slice(0, end), true));
    expect(element.querySelectorAll("h1, li, table, pre, blockquote").length).toBe(5);
  });
});

test("code has its language, colors once it is written, and a button that copies it", async () => {
  const copied: string[] = [];
  Object.defineProperty(navigator, "clipboard", {
    configurable: true,
    value: { writeText: async (text: string) => void copied.push(text) },
  });
  const code = "```ts\nconst answer = 42;\n```";
  const { element, again } = await show(code, true);
  expect(element.querySelector(".code-head span")?.textContent).toBe("ts");
  expect(element.querySelector(".hljs-keyword")).toBe(null);
  await again(markdown(code));
  expect((await drawn(element, ".hljs-keyword")).textContent).toBe("const");
  const button = element.querySelector<HTMLElement>(".code button");
  await act(async () => button?.click());
  expect([copied, button?.getAttribute("aria-label")]).toEqual([["const answer = 42;\n"], "Copied"]);
});

test("a browser that does not copy has no button, and one that refuses says nothing", async () => {
  Object.defineProperty(navigator, "clipboard", { configurable: true, value: undefined });
  const { element, again } = await show("```\nx\n```");
  expect(element.querySelectorAll(".code button").length).toBe(0);
  Object.defineProperty(navigator, "clipboard", {
    configurable: true,
    value: { writeText: async () => await Promise.reject(new Error("denied")) },
  });
  await again(markdown("```\ny\n```"));
  const button = element.querySelector<HTMLElement>(".code button");
  await act(async () => button?.click());
  expect(button?.getAttribute("aria-label")).toBe("Copy");
});

test("task lists have boxes that can't be changed, and say what they are", async () => {
  const { element } = await show("- [x] done\n- [ ] open");
  const boxes = [...element.querySelectorAll<HTMLInputElement>("input[type=checkbox]")];
  expect(boxes.map((box) => [box.checked, box.disabled, box.getAttribute("aria-label")])).toEqual([
    [true, true, "Done"],
    [false, true, "To do"],
  ]);
});

test("footnotes of two messages have ids of their own", async () => {
  const ids = async (messageId: string): Promise<readonly string[]> => {
    const text = "So it is[^1].\n\n[^1]: A note.";
    const { element } = await render(
      createElement(Markdown, { text, messageId, citations: [], isWriting: false, areLinksText: false }),
    );
    return [...element.querySelectorAll("li[id]")].map(({ id }) => id);
  };
  expect([await ids("m1"), await ids("m2")]).toEqual([["m1-fn-1"], ["m2-fn-1"]]);
});

test.each([
  ["in a line", "So $$x^2$$ it is.", 0],
  ["in a block", "$$\nx^2\n$$", 1],
  ["on a line of its own", "Look:\n\n$$x^2$$\n\nThere.", 1],
])("a formula %s", async (_name, text, displayed) => {
  const { element } = await show(text);
  await drawn(element, "math");
  expect(element.querySelectorAll("math[display=block]").length).toBe(displayed);
});

test.each([
  ["in a line", "So $x^2 + 1$ it is.", ["x^2 + 1"]],
  ["in a block", "$$\n\\frac{1}{2}\n$$", ["\\frac{1}{2}"]],
  ["beside prices", "From $5 to $10, which is $x$ more", ["x"]],
  ["never of prices", "$5-$10, $20 and US$30; it was $40 before. $$x$$", ["x"]],
])("formulas %s", async (_name, text, formulas) => {
  const { element } = await show(text);
  await drawn(element, "math");
  const found = [...element.querySelectorAll("annotation")].map(({ textContent }) => textContent.trim());
  expect(found).toEqual(formulas);
  const prices = text.match(/\$\d+/g) ?? [];
  expect(prices.filter((price) => !element.textContent.includes(price))).toEqual([]);
});
