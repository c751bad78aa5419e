import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Agent, defineTool, MemoryStore } from "@pollux/core";
import { call, calls, ScriptedModel } from "@pollux/core/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Chromium, openChromium } from "../../../../test/runtimes/support/chromium.ts";
import type { RunForCase } from "../../src/index.ts";
import { DEMO_IDS, makeDemoSessions } from "../demo-sessions.ts";
import { evalRun, writeRun } from "../support/eval-runs.ts";
import { testFolder } from "../support/page-folder.ts";
import { InspectorTab } from "./support/inspector-tab.ts";
import { type BuiltPage, builtPage, type ServedInspector } from "./support/served-inspector.ts";

const [sessions, exchanges] = [new MemoryStore(), new MemoryStore()];
let browser: Chromium;
let built: BuiltPage;
let served: ServedInspector;
beforeAll(async () => {
  [browser, built] = await Promise.all([openChromium(), builtPage(), makeDemoSessions({ sessions, exchanges })]);
  served = await built.serve({
    title: "/home/me/sessions",
    store: sessions,
    exchanges,
    prices: { input: 0.3, cachedInput: 0.03, output: 2.5, searchQuery: 0.014 },
    limits: { turns: 3, totalTokens: 50_000 },
  });
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await served[Symbol.asyncDispose]();
});

const open = async (hash: string = "#/"): Promise<InspectorTab> => await InspectorTab.open(browser, served.url + hash);

describe("the list of sessions", () => {
  test("shows each session with its state, and finds one by search and by state", async () => {
    const tab = await open();
    await tab.sees(`${DEMO_IDS.length} shown`);
    await tab.sees("Where is order A-1001");
    await tab.click("button", "Waiting");
    await tab.sees("1 shown");
    await tab.sees("The book of order B-7 is damaged.");
    await tab.click("button", "All");
    await tab.press("/");
    await tab.type("solaris");
    await tab.sees("1 shown");
    await tab.sees("Is Solaris in stock?");
    expect(await tab.hash()).toBe("#/?q=solaris");
    await tab.close();
  });

  test("says what to do when nothing matches", async () => {
    const tab = await open("#/?q=nowhere");
    await tab.sees("No session matches");
    await tab.click("button", "Show all sessions");
    await tab.sees(`${DEMO_IDS.length} shown`);
    await tab.close();
  });

  test("works with the keyboard", async () => {
    const tab = await open();
    await tab.sees(`${DEMO_IDS.length} shown`);
    await tab.press("G", "k", "j", "Enter");
    await tab.sees("Timeline");
    expect(await tab.hash()).toMatch(/^#\/s\//);
    await tab.press("?");
    await tab.sees("Next turn with a problem");
    await tab.press("Escape");
    await tab.seesNot("Next turn with a problem");
    expect(await tab.hash()).toMatch(/^#\/s\//);
    await tab.press("Escape");
    await tab.sees(`${DEMO_IDS.length} shown`);
    await tab.press("?");
    await tab.sees("Keyboard shortcuts");
    await tab.sees("Open the session");
    await tab.press("Escape");
    await tab.seesNot("Keyboard shortcuts");
    await tab.close();
  });
});

describe("the timeline", () => {
  test("shows parallel calls, failures and retries, and jumps to them", async () => {
    const tab = await open("#/s/parallel-tools");
    await tab.sees("call failed 1");
    await tab.sees("retry 1");
    expect((await tab.texts(".line-step .step-name")).slice(0, 3).toSorted()).toEqual([
      "get_carrier",
      "get_order",
      "get_stock",
    ]);
    await tab.press("g", "n");
    await tab.sees('warehouse 4 does not know "Lost in Translation"', ".details");
    expect(await tab.hash()).toMatch(/^#\/s\/parallel-tools\/t\/1$/);
    await tab.press("n");
    await tab.sees("Turn 2", ".details");
    await tab.sees("The model is overloaded", ".details");
    await tab.close();
  });

  test("filters turns by words and flags", async () => {
    const tab = await open("#/s/repeated-calls");
    await tab.sees("repeated calls 2");
    await tab.clickText("button", "repeated calls");
    await tab.until(`document.querySelectorAll(".line-turn").length === 2`);
    await tab.press("Escape");
    await tab.until(`document.querySelectorAll(".line-turn").length === 3`);
    await tab.press("/");
    await tab.type("nothing like it");
    await tab.sees("No turn matches");
    await tab.close();
  });

  test("finds a tool's result, and leads to the turn with the words marked", async () => {
    const tab = await open("#/s/parallel-tools");
    await tab.sees("Turn 3", ".details");
    await tab.press("/");
    await tab.type("warehouse 4");
    await tab.until(`document.querySelectorAll(".line-turn").length === 1`);
    await tab.press("Enter");
    await tab.sees("Turn 1", ".details");
    expect(await tab.hash()).toBe("#/s/parallel-tools/t/1");
    const marked = `[...(CSS.highlights.get("found") ?? [])].map(String)`;
    await tab.until(`${marked}.includes("warehouse")`);
    await tab.until(`[...CSS.highlights.get("found")].some((range) => {
      const { top, bottom } = range.getBoundingClientRect();
      return range.startContainer.parentElement.closest(".details") !== null && top >= 0 && bottom <= innerHeight;
    })`);
    await tab.close();
  });

  test("opens at the turn of an address, and continues with the keyboard", async () => {
    const { runId } = (await sessions.load("changing-instructions"))[0] as { readonly runId: string };
    const tab = await open(`#/s/changing-instructions/r/${runId}/t/2`);
    await tab.sees("Turn 2", ".details");
    await tab.press("j");
    await tab.sees("Turn 3", ".details");
    await tab.evaluate(`document.querySelector("#turn-panel").focus()`);
    await tab.press("ArrowDown", "End", "k", "k");
    await tab.sees("Turn 1", ".details");
    await tab.until(`document.querySelector("#turn-panel").scrollTop === 0`);
    await tab.press("}");
    await tab.sees("Request 0", ".details");
    expect(await tab.hash()).toBe(`#/s/changing-instructions/t/1/wire`);
    await tab.close();
  });

  test("shows pending calls with their arguments", async () => {
    const tab = await open("#/s/refund-approval");
    await tab.sees("refund needs approval call:2.0", ".details");
    await tab.sees('"amount": 12.5', ".details");
    await tab.close();
  });

  test("shows the answers of an inner agent", async () => {
    const tab = await open("#/s/inner-agent");
    await tab.sees("inner agent 1");
    await tab.sees("inner run of researcher 2 turns", ".timeline-rows");
    await tab.sees("turn 2 of it There are three copies of Solaris.", ".timeline-rows");
    await tab.clickText(".is-inner-run", "inner run of");
    await tab.seesNot("turn 2 of it");
    await tab.press("g", "j");
    await tab.sees("Inner run of researcher", ".details");
    await tab.sees("There are three copies of Solaris.", ".details");
    await tab.close();
  });

  test.each([
    ["cut-off", "Cut off"],
    ["turn-limit", "limit reached: turns"],
    ["failed-run", "400 INVALID_ARGUMENT"],
    ["long-chat", "compaction 1"],
  ])("says how %s went", async (id, text) => {
    const tab = await open(`#/s/${id}`);
    await tab.sees(text);
    await tab.close();
  });
});

describe("contents", () => {
  test("have citations as ranges of the text, with their sources", async () => {
    const tab = await open("#/s/grounded-answer");
    await tab.sees("yr.no https://www.yr.no/oslo", ".sources");
    expect(await tab.texts("mark.cited")).toEqual(["It rains in Oslo today.", "– Tomorrow it will be dry, with 4 °C."]);
    await tab.click("button", "Source 2");
    await tab.until(`document.activeElement?.id === "source-2"`);
    await tab.close();
  });

  test("say why a citation is missing", async () => {
    const tab = await open("#/s/dropped-citation");
    await tab.sees("lost citation 1");
    await tab.sees("1 citation can't be shown: “It snows in Bergen.”");
    await tab.sees("Its text is not in the answer.");
    await tab.close();
  });

  test("are chips: thoughts, code, pictures, signatures and unknown parts", async () => {
    const tab = await open("#/s/rich-parts");
    await tab.sees("A picture, some code, and something that no release knows yet.");
    await tab.sees("print(sum(range(10)))");
    await tab.sees("unknown: mood");
    await tab.until(`document.querySelector(".media img")?.naturalWidth === 96`, "shows the picture");
    expect((await tab.texts(".chip-signature"))[0]).toMatch(/^signature, \d+ B · gemini-3\.8-flash/);
    await tab.clickText(".part-thought button", "Raw");
    await tab.sees('"thought": true');
    await tab.close();
  });
});

describe("the wire", () => {
  test("shows where a prefix broke, with the old value and the cost", async () => {
    const tab = await open("#/s/changing-instructions/wire");
    await tab.sees("Only 3 broken prefixes and 0 failures");
    await tab.sees("The prefix broke at systemInstruction.parts[0].text", ".details");
    expect((await tab.texts(".break dt")).slice(0, 2)).toEqual(["Before", "Now"]);
    await tab.sees("It is 12:00:02.", ".break");
    await tab.sees("It is 12:00:03.", ".break");
    await tab.until(String.raw`/up to [\d,]+ tokens, about 0\.\d+/.test(document.querySelector(".break")?.innerText)`);
    await tab.press("g");
    await tab.sees("The first request of its conversation", ".details");
    await tab.close();
  });

  test("dims the part shared with the previous request, and shows the tokens billed as cached", async () => {
    const tab = await open("#/s/repeated-calls/wire/1");
    await tab.until(
      String.raw`/Billed: [\d,]+ prompt tokens, [1-9][\d,]* of them as cached/.test(document.body.innerText)`,
    );
    await tab.until(`document.querySelector(".text-line .shared") !== null`);
    await tab.clickText("summary", "headers");
    await tab.sees("content-type");
    expect(await tab.evaluate(`document.body.innerText.includes("demo-key")`)).toBe(false);
    await tab.close();
  });

  test("explains how to keep requests if none were kept", async () => {
    const tab = await open("#/s/cut-off/wire");
    await tab.sees("This session kept no requests");
    await tab.sees("keepExchanges(");
    await tab.close();
  });
});

test("cost and tokens are shown for each turn, with the distance to the limits", async () => {
  const tab = await open("#/s/turn-limit/cost");
  await tab.sees("Turn 3");
  await tab.sees("3 of 3 (100%)");
  await tab.sees("With an explicit cache");
  await tab.clickText("a", "Turn 2");
  await tab.sees("Turn 2", ".details");
  await tab.close();
});

test("the log is shown as stored", async () => {
  const tab = await open("#/s/parallel-tools/log/1");
  await tab.sees("Entry 1", ".details");
  await tab.press("j");
  await tab.sees("Entry 2", ".details");
  expect(await tab.hash()).toBe("#/s/parallel-tools/log/2");
  await tab.close();
});

test("a missing session is no dead end", async () => {
  const tab = await open("#/s/nobody");
  await tab.sees("There is no such session");
  await tab.click("link", "All sessions");
  await tab.sees(`${DEMO_IDS.length} shown`);
  // The browser says so itself.
  tab.errors.splice(0, tab.errors.length, ...tab.errors.filter((text) => !text.includes("404")));
  await tab.close();
});

test("marks the call that made the history untrusted, and explains approvals and denials because of it", async () => {
  const store = new MemoryStore();
  const page = defineTool({
    name: "fetch_page",
    description: "x",
    reads: "untrusted",
    origin: "browser",
    run: () => "x",
  });
  const sends = { description: "x", effects: "once", reads: "trusted", run: () => "sent" } as const;
  const mail = defineTool({ name: "send_mail", ...sends });
  const pay = defineTool({ name: "pay_bill", ...sends, afterUntrusted: "deny" });
  const fetched = call("fetch_page", { url: "https://blog.example/" });
  const both = calls(
    { name: "send_mail", args: { to: "eve@evil.example" } },
    { name: "pay_bill", args: { to: "Eve" } },
  );
  const model = new ScriptedModel(fetched, both);
  await new Agent({ model, tools: [page, mail, pay] }).session({ id: "s", store }).send("Read the blog.");
  await using own = await built.serve({ title: "x", store });
  const tab = await InspectorTab.open(browser, `${own.url}#/s/s`);
  const why = (what: string): string =>
    `would reach outside (${what}) after the agent read untrusted content from fetch_page blog.example.`;
  await tab.sees(`It ${why("send_mail to eve@evil.example")}`, ".pending");
  await tab.sees(`It was denied because it ${why("pay_bill to Eve")}`, '[data-call="call:2.1"]');
  expect(await tab.texts(".line-step .tone-odd")).toEqual(["untrusted"]);
  expect(await tab.texts(".line-turn .tone-odd")).toEqual(["untrusted", "held"]);
  expect(await tab.seriousFindings()).toEqual([]);
  await tab.close();
});

describe("evals", () => {
  const serveEvals = async (): Promise<ServedInspector> => {
    const folder = await testFolder();
    const sessionOf = (_case: string, number: number): string | undefined => DEMO_IDS[number - 1];
    for (let n = 1; n <= 45; n++)
      await writeRun(folder, evalRun({ n, passed: { refund: 5, policy: n === 45 ? 0 : 5, late: 4 }, sessionOf }));
    await writeRun(folder, evalRun({ n: 1, passed: { greeting: 5 }, changes: { suite: "tone of voice" } }));
    await writeFile(join(folder, "support", "run-0044.json"), "{");
    return await built.serve({ title: ".pollux/evals.sqlite", store: sessions, evals: { folder } });
  };

  test("go from a suite to a case that broke, to its trial, to its session", async () => {
    await using own = await serveEvals();
    const tab = await InspectorTab.open(browser, own.url);
    await tab.click("link", "Evals");
    await tab.sees("tone of voice");
    await tab.sees("Worse: policy broke (0 of 5, was 15 of 15).");
    await tab.click("link", "support");
    await tab.sees("60% (48–68%) passed");
    await tab.sees("1 file could not be read");
    await tab.clickText("summary", "could not be read");
    await tab.sees("run-0044.json: it is not valid JSON");
    await tab.press("k");
    await tab.sees("No difference seen");
    expect(await tab.hash()).toBe("#/evals/support/run-0043");
    await tab.click("button", "Show older runs (4)");
    await tab.until(`document.querySelectorAll(".eval-grid tbody:first-child tr:first-child a").length === 44`);
    await tab.clickText(".eval-grid a", "0/5 broken");
    await tab.sees("The customer is not told when the money arrives.");
    await tab.press("]");
    expect(await tab.hash()).toBe("#/evals/support/run-0045/policy/2");
    await tab.click("link", "Open its session");
    await tab.until(`location.hash === "#/s/${DEMO_IDS[1]}"`);
    await tab.sees("Timeline");
    await tab.close();
  });

  test("compare two trials, with their sessions", async () => {
    await using own = await serveEvals();
    const tab = await InspectorTab.open(browser, `${own.url}#/evals/support/run-0045/policy/3`);
    await tab.fill("Compare with", "run-0043/1");
    await tab.sees("Your refund arrives on Friday.");
    await tab.sees("I cannot do that.");
    await tab.sees("Different from the first turn on.", ".branches");
    expect(await tab.hash()).toBe("#/evals/support/run-0045/policy/3/run-0043/1");
    await tab.press("Escape", "Escape", "Escape");
    await tab.sees(`${DEMO_IDS.length} shown`);
    await tab.close();
  });

  test("that are missing are no dead end", async () => {
    await using empty = await built.serve({ store: sessions, evals: { folder: await testFolder() } });
    const tab = await InspectorTab.open(browser, `${empty.url}#/evals`);
    await tab.sees("No evals yet");
    await tab.go("#/evals/nothing");
    await tab.sees("There is no such suite of evals.");
    await tab.press("Escape");
    await tab.sees("No evals yet");
    // The browser says so itself.
    tab.errors.splice(0, tab.errors.length, ...tab.errors.filter((text) => !text.includes("404")));
    await tab.close();
  });

  test("a run becomes a case, after a look at the changes", async () => {
    const written: RunForCase[] = [];
    const differences = [{ where: "log[0].input", was: "I am <b>Ada</b>", is: "I am Kim" }];
    const makeCase = async (run: RunForCase) => ({
      folder: "cases/refund-approval",
      differences,
      write: () => void written.push(run),
    });
    await using own = await built.serve({ store: sessions, makeCase, allowActions: true });
    const tab = await InspectorTab.open(browser, `${own.url}#/s/refund-approval/case`);
    await tab.click("button", "Show case");
    await tab.sees("I am <b>Ada</b> I am Kim");
    expect(written).toEqual([]);
    await tab.click("button", "Write case");
    await tab.sees("Written to cases/refund-approval.");
    expect(written).toEqual([{ sessionId: "refund-approval", runId: expect.any(String) }]);
    expect(await tab.seriousFindings()).toEqual([]);
    await tab.close();
  });

  test("without permission, there is the command that makes a case", async () => {
    const tab = await open("#/s/refund-approval/case");
    await tab.sees("pollux eval add 'refund-approval'");
    await tab.close();
  });

  test("axe-core finds nothing serious, on a wide and on a narrow screen, in light and in dark", async () => {
    await using own = await serveEvals();
    for (const path of ["", "/support", "/support/run-0045/policy/3/run-0001/1"])
      for (const width of [1280, 390]) {
        const tab = await InspectorTab.open(browser, `${own.url}#/evals${path}`, width);
        await tab.until(`document.querySelector(".evals .banner")`);
        expect(await findingsInBoth(tab), path).toEqual([]);
        expect(await tab.evaluate("document.documentElement.scrollWidth"), path).toBe(width);
        await tab.close();
      }
  });
});

test.each([
  "#/",
  "#/s/parallel-tools",
  "#/s/refund-approval",
  "#/s/grounded-answer",
  "#/s/rich-parts",
  "#/s/failed-run",
  "#/s/inner-agent",
  "#/s/changing-instructions/wire/3",
  "#/s/turn-limit/cost",
  "#/s/long-chat/log/2",
  "#/s/cut-off/wire",
])("axe-core finds nothing serious at %s, in light and in dark", async (hash) => {
  const tab = await open(hash);
  await tab.until(
    hash === "#/" ? `document.querySelector(".session-row")` : `document.querySelector("#session-panel")?.innerText`,
  );
  expect(await findingsInBoth(tab)).toEqual([]);
  await tab.close();
});

/** Serious problems that axe-core finds in either color scheme. */
async function findingsInBoth(tab: InspectorTab): Promise<readonly string[]> {
  await tab.prefers("light");
  const inLight = await tab.seriousFindings();
  await tab.prefers("dark");
  // Only colors differ.
  return [...inLight, ...(await tab.seriousFindings(["color-contrast"]))];
}

describe("on a phone", () => {
  /** Elements beyond the right edge that can't be scrolled to. */
  const CUT_OFF = `[...document.querySelectorAll("header *, main *")].filter((one) => {
    const { width, right } = one.getBoundingClientRect();
    if (width === 0 || right <= innerWidth + 1) return false;
    for (let at = one.parentElement; at !== null; at = at.parentElement)
      if (getComputedStyle(at).overflowX !== "visible") return false;
    return true;
  }).map(({ outerHTML }) => outerHTML.slice(0, 100))`;
  const SMALL = `[...document.querySelectorAll("button, select, a.button")]
    .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 24)
    .map(({ outerHTML }) => outerHTML.slice(0, 100))`;

  test.each([
    "#/",
    "#/s/parallel-tools",
    "#/s/inner-agent/t/1",
    "#/s/changing-instructions/wire/3",
    "#/s/turn-limit/cost",
    "#/s/parallel-tools/fork",
    "#/s/parallel-tools/check",
    "#/s/refund-approval/act",
    "#/s/long-chat/log/2",
  ])("nothing is cut off or too small to touch, and axe-core finds nothing serious at %s", async (hash) => {
    const tab = await InspectorTab.open(browser, served.url + hash, 390);
    await tab.until(
      hash === "#/" ? `document.querySelector(".session-row")` : `document.querySelector("#session-panel")?.innerText`,
    );
    expect(await tab.evaluate("document.documentElement.scrollWidth")).toBe(390);
    expect(await tab.evaluate(CUT_OFF)).toEqual([]);
    expect(await tab.evaluate(SMALL)).toEqual([]);
    expect(await tab.seriousFindings()).toEqual([]);
    await tab.close();
  });

  test("the menu of exports is on the screen", async () => {
    const tab = await InspectorTab.open(browser, `${served.url}#/s/parallel-tools`, 390);
    await tab.clickText("summary", "Export");
    const box = `document.querySelector(".menu > ul").getBoundingClientRect()`;
    await tab.until(`${box}.width > 0 && ${box}.left >= 0 && ${box}.right <= 390`);
    expect(await tab.evaluate(CUT_OFF)).toEqual([]);
    await tab.close();
  });

  test("a turn's details are below the timeline", async () => {
    const tab = await InspectorTab.open(browser, `${served.url}#/s/parallel-tools`, 390);
    await tab.sees("Turn 3", ".details");
    const below = `document.querySelector(".details").getBoundingClientRect().top >=
      document.querySelector(".timeline").getBoundingClientRect().bottom - 1`;
    expect(await tab.evaluate(below)).toBe(true);
    await tab.evaluate(`document.querySelector(".timeline-rows").scrollTop = 0`);
    await tab.clickText(".line-turn", "Order, stock and parcel");
    await tab.sees("Turn 1", ".details");
    await tab.close();
  });
});

test("the theme follows the system until one is chosen, which stays", async () => {
  const tab = await open();
  await tab.prefers("dark");
  const isDark = `getComputedStyle(document.body).backgroundColor === "rgb(20, 22, 26)"`;
  await tab.until(isDark);
  await tab.press("T");
  await tab.until(`!(${isDark})`);
  await tab.press("T");
  await tab.prefers("light");
  await tab.until(isDark);
  await tab.evaluate("localStorage.clear()");
  await tab.close();
});
