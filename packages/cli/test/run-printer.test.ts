import { stripVTControlCharacters } from "node:util";
import { Agent, defineTool, googleListPrices, maskText, MemoryStore, type RunEvent } from "@pollux/core";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { formatUsage, RunPrinter, type RunPrinterOptions } from "../src/run-printer.ts";
import { showsColor, widthOf } from "../src/terminal-text.ts";
import { type FakeOptions, FakeProcess } from "./support.ts";

/** What a printer with these options writes. */
async function printed(options: RunPrinterOptions, print: (printer: RunPrinter) => unknown): Promise<string> {
  let out = "";
  await print(new RunPrinter({ color: false, width: Infinity, ...options, write: (text) => (out += text) }));
  return out;
}

/** Prints an answer that arrives in these pieces. */
async function printAnswer(printer: RunPrinter, ...pieces: readonly string[]): Promise<void> {
  for (const delta of pieces) printer.print({ type: "text-delta", turn: 1, delta });
  printer.endLine();
}

test("a call that is denied because of untrusted content has its reason", async () => {
  const page = defineTool({ name: "page", description: "x", reads: "untrusted", run: () => "x" });
  const mail = defineTool({ name: "mail", description: "x", effects: "once", run: () => "sent" });
  const model = new ScriptedModel(call("page", { url: "https://evil.example/" }), call("mail"), say("Done."));
  const agent = new Agent({ model, tools: [page, mail], afterUntrusted: "deny" });
  const out = await printed({}, async (printer) => {
    for await (const event of agent.stream("Go.")) printer.print(event);
  });
  const why = "after the agent read untrusted content from page evil.example.";
  expect(out).toContain(`It was denied because it would reach outside (mail) ${why}\n`);
});

describe("sources", () => {
  const web = { kind: "web", chunk: {} } as const;
  const sources = [
    { ...web, number: 1, title: "Port of \u001b[2JOslo", uri: "https://port.example/oslo\u0007" },
    { ...web, number: 2, title: "a page" },
  ];

  test("have their address beside the title where nothing can be clicked", async () => {
    const out = await printed({ color: false }, (printer) => printer.sources({ sources }));
    expect(out).toBe("[1] Port of Oslo  https://port.example/oslo\n[2] a page\n");
  });

  test("are links in a terminal, and as wide as their titles", async () => {
    const out = await printed({ color: true, width: 20 }, (printer) => printer.sources({ sources }));
    const link = "\u001b]8;;https://port.example/oslo\u0007Port of Oslo\u001b]8;;\u0007";
    expect(out).toBe(
      `\u001b[36m[1]\u001b[39m \u001b[2m${link}\u001b[22m\n\u001b[36m[2]\u001b[39m \u001b[2ma page\u001b[22m\n`,
    );
  });
});

test("a source with an address that is not on the web is no link", async () => {
  const sources = [{ kind: "web", chunk: {}, number: 1, title: "A", uri: "javascript:alert(1)" }] as const;
  const out = await printed({ color: true }, (printer) => printer.sources({ sources }));
  expect(out).toBe("\u001b[36m[1]\u001b[39m \u001b[2mA  javascript:alert(1)\u001b[22m\n");
});

test("a page of a document is named", async () => {
  const sources = [{ kind: "document", chunk: {}, number: 1, title: "Manual", pageNumber: 7 }] as const;
  expect(await printed({ color: false }, (printer) => printer.sources({ sources }))).toBe("[1] Manual, page 7\n");
});

test.each([
  [
    "is told to be checked",
    [{ name: "watch", check: () => {} }],
    "(the answer is checked before it is shown)\nIt is out.\n",
  ],
  ["is shown late where it can be", [maskText("secret")], "It is out.\n"],
])("an answer that guardrails hold %s", async (_what, output, says) => {
  const agent = new Agent({ model: new ScriptedModel(say("It is ", "out.")), guardrails: { output } });
  const out = await printed({}, async (printer) => {
    for await (const event of agent.stream("Go.")) printer.print(event);
  });
  expect(out).toBe(says);
});

describe("lines", () => {
  test("break between words, also where a word arrives in pieces", async () => {
    const out = await printed({ width: 12 }, (printer) => printAnswer(printer, "One two thr", "ee four\n\nfi", "ve"));
    expect(out).toBe("One two\nthree four\n\nfive\n");
  });

  test("begin with the indent and keep white space inside", async () => {
    const out = await printed({ width: 16, indent: 2 }, (printer) => {
      printer.line("a  b");
      printer.line("  one two three four");
    });
    expect(out).toBe("  a  b\n    one two\n  three four\n");
  });

  test("count wide characters twice and colors not at all", async () => {
    const out = await printed({ width: 8, color: true }, (printer) => {
      printer.note("ab cd ef");
      printer.line("漢字 漢字 ab");
    });
    expect(out).toBe("\u001b[2mab cd ef\u001b[22m\n漢字\n漢字 ab\n");
  });

  test("without a width are never broken", async () => {
    const text = "word ".repeat(100).trim();
    expect(await printed({}, (printer) => printAnswer(printer, text))).toBe(`${text}\n`);
  });
});

test.each([0, -1, Number.NaN])("a width of %d is none", async (width) => {
  const text = "word ".repeat(100).trim();
  expect(await printed({ width }, (printer) => printAnswer(printer, text))).toBe(`${text}\n`);
});

describe("Markdown", () => {
  const markdown = { color: true, markdown: true, width: 40 };
  const delta = (text: string): Extract<RunEvent, { type: "text-delta" }> => ({
    type: "text-delta",
    turn: 1,
    delta: text,
  });

  test("is laid out where it is asked for and colors are shown", async () => {
    const answer = (printer: RunPrinter): Promise<void> => printAnswer(printer, "# A\n**b", "** c");
    expect(await printed(markdown, answer)).toBe("\u001b[1m\u001b[4mA\u001b[24m\u001b[22m\n\n\u001b[1mb\u001b[22m c\n");
    expect(await printed({ ...markdown, color: false }, answer)).toBe("# A\n**b** c\n");
    expect(await printed({ ...markdown, markdown: undefined }, answer)).toBe("# A\n**b** c\n");
  });

  test("of thoughts is dimmed, and ends where the answer begins", async () => {
    const out = await printed({ ...markdown, indent: 2 }, (printer) => {
      printer.print({ type: "thought-delta", turn: 1, delta: "**Plan" });
      printer.print({ type: "thought-delta", turn: 1, delta: "**\n\nLook" });
      printer.print(delta("It *is*"));
      printer.endLine();
    });
    expect(out).toBe(
      "  \u001b[2m\u001b[1mPlan\u001b[22m\u001b[22m\n\n  \u001b[2mLook\u001b[22m\n  It \u001b[3mis\u001b[23m\n",
    );
  });

  test("ends at a call, whatever is open, and goes on after a note", async () => {
    const out = await printed(markdown, (printer) => {
      printer.print(delta("I **look "));
      printer.note("sent");
      printer.print(delta("now** at [it"));
      printer.print({ type: "tool-start", turn: 1, callId: "1", name: "look", call: { name: "look", args: {} } });
      printer.print(delta("Done"));
      printer.endLine();
    });
    expect(stripVTControlCharacters(out)).toBe("I\nsent\nlook now at [it\n→ look {}\nDone\n");
  });

  test("takes the width that the terminal has by then", async () => {
    let width = 40;
    const out = await printed({ ...markdown, width: () => width }, async (printer) => {
      await printAnswer(printer, "one two three four");
      width = 12;
      await printAnswer(printer, "one two three four");
      printer.line("one two three four");
    });
    expect(out).toBe("one two three four\none two\nthree four\none two\nthree four\n");
  });

  test("cannot move the cursor, in pieces or in entities", async () => {
    const out = await printed(markdown, (printer) =>
      printAnswer(printer, "a\u001b", "[2J b &#27;[31m c &#x9b;2J d\u0007 e\u202e f\r g"),
    );
    expect(out).toBe("a[2J b c d e f g\n");
  });
});

test("sources have their address where links are not shown", async () => {
  const sources = [{ kind: "web", chunk: {}, number: 1, title: "A", uri: "https://a.example/b" }] as const;
  const out = await printed({ color: true, links: false }, (printer) => printer.sources({ sources }));
  expect(stripVTControlCharacters(out)).toBe("[1] A  https://a.example/b\n");
});

test("arguments and results are cut to the width", async () => {
  const search = defineTool({ name: "search", description: "Searches.", run: () => "found ".repeat(20) });
  const model = new ScriptedModel(call("search", { for: "x".repeat(50) }), say("Done."));
  const out = await printed({ width: 40 }, async (printer) => {
    for await (const event of new Agent({ model, tools: [search] }).stream("Go")) printer.print(event);
  });
  const lines = out.split("\n").map((line) => line.replace(/\d+ ms/, "0 ms"));
  expect(lines).toEqual([
    '→ search {"for":"xxxxxxxxxxxxxxxxxxxxxx…',
    expect.stringMatching(/^✓ search 0 ms {2}found found .*…$/),
    "Done.",
    "",
  ]);
});

test("a call that a resumed run does not repeat says so, once", async () => {
  const store = new MemoryStore();
  const book = defineTool({ name: "book", description: "Books.", run: () => "booked" });
  const once = new Agent({ model: new ScriptedModel(call("book")), tools: [book] });
  await once
    .session({ id: "trip", store })
    .send("Book it.")
    .catch(() => {});
  const again = new Agent({ model: new ScriptedModel(say("Done.")), tools: [book] });
  const out = await printed({}, async (printer) => {
    for await (const event of again.session({ id: "trip", store }).resumeStream()) printer.print(event);
  });
  expect(out).toBe("✓ book done before, not run again  booked\nDone.\n");
});

describe("colors and width", () => {
  const cases: readonly (Required<Pick<FakeOptions, "env">> & {
    readonly terminal: Pick<FakeOptions, "isTTY" | "columns">;
    readonly color: boolean;
    readonly width: number;
  })[] = [
    { terminal: { isTTY: true, columns: 90 }, env: {}, color: true, width: 90 },
    { terminal: { isTTY: true, columns: 90 }, env: { NO_COLOR: "1" }, color: false, width: 90 },
    { terminal: { isTTY: true, columns: 90 }, env: { TERM: "dumb" }, color: false, width: 90 },
    { terminal: {}, env: {}, color: false, width: Infinity },
    { terminal: { isTTY: true, columns: 0 }, env: {}, color: true, width: Infinity },
    { terminal: { isTTY: true, columns: undefined }, env: {}, color: true, width: Infinity },
    { terminal: { isTTY: true, columns: 0 }, env: { COLUMNS: "72" }, color: true, width: 72 },
    { terminal: {}, env: { COLUMNS: "wide" }, color: false, width: Infinity },
    { terminal: {}, env: { FORCE_COLOR: "1", COLUMNS: "72" }, color: true, width: 72 },
    { terminal: {}, env: { FORCE_COLOR: "1", NO_COLOR: "1" }, color: false, width: Infinity },
  ];
  test.each(cases)("of $terminal with $env", ({ terminal, env, color, width }) => {
    const fake = new FakeProcess({ ...terminal, env });
    expect({ color: showsColor(fake), width: widthOf(fake) }).toEqual({ color, width });
  });
});

test("a cost stands beside the day of its prices", async () => {
  const model = ScriptedModel.with({ id: "gemini-4-hydrogen" }, say("ok"));
  const result = await new Agent({ model, prices: googleListPrices }).run("Hi.");
  expect(formatUsage(result.usage, result)).toMatch(/ in 1 request; cost 0\.000053 \(prices of 2026-11-23\)$/);
  expect(formatUsage(result.usage, "1,2")).toMatch(/ in 1 request; cost 0\.000020$/);
  expect(formatUsage(result.usage, {})).toMatch(/ in 1 request$/);
  // Only an agent knows which model answered.
  expect(formatUsage(result.usage, "google")).toMatch(/ in 1 request$/);
});
