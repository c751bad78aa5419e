import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Agent, defineTool, endpoint, gemini, type Json, MemoryStore } from "@pollux/core";
import type { EvalRun } from "@pollux/evals";
import { keepExchanges } from "@pollux/core/exchanges";
import { call, parts, say, ScriptedModel } from "@pollux/core/testing";
import { calls as emulatedCalls, createEmulator, say as emulatedSay, script } from "@pollux/emulator";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deferred } from "../../../core/test/helpers/deferred.ts";
import { type Chromium, openChromium } from "../../../../test/runtimes/support/chromium.ts";
import { evalRun, writeRun } from "../support/eval-runs.ts";
import { longLog } from "../support/long-log.ts";
import { testFolder } from "../support/page-folder.ts";
import { add, sessionOf } from "../support/sessions.ts";
import { InspectorTab } from "./support/inspector-tab.ts";
import { type BuiltPage, builtPage } from "./support/served-inspector.ts";

const RECORDINGS = resolve(import.meta.dirname, "../../../../../shared/recordings");

let browser: Chromium;
let page: BuiltPage;
beforeAll(async () => {
  [browser, page] = await Promise.all([openChromium(), builtPage()]);
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
});

describe("a hostile session", () => {
  const ATTACK = `<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>`;

  test("can do nothing: what it says stays text", async () => {
    const store = new MemoryStore();
    const source = { uri: "javascript:window.hacked=1", title: ATTACK };
    const chunk = { web: source };
    const segment = { text: ATTACK, startIndex: 0, endIndex: ATTACK.length };
    const grounding = { groundingChunks: [chunk], groundingSupports: [{ segment, groundingChunkIndices: [0] }] };
    const session = sessionOf(store, [
      parts(
        { text: ATTACK, [ATTACK]: ATTACK } as never,
        { functionCall: { name: "add", args: { [ATTACK]: ATTACK } } },
        {
          inlineData: {
            mimeType: "image/svg+xml",
            data: btoa(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`),
          },
        },
        { fileData: { mimeType: ATTACK, fileUri: "javascript:window.hacked=1" } },
      ),
      say("Done"),
    ]);
    await session.send(ATTACK);
    const entries = JSON.parse(JSON.stringify(await store.load("chat-1"))) as any[];
    entries[1].outcome.value.response.candidate.groundingMetadata = grounding;
    const changed = new MemoryStore();
    await changed.append(`"><img src=x onerror=alert(1)>`, 0, entries, { info: { title: ATTACK } as never });
    await using served = await page.serve({ store: changed, title: ATTACK });
    const tab = await InspectorTab.open(browser, served.url);
    await tab.sees("<img src=x onerror=", ".session-rows");
    await tab.press("Enter");
    await tab.sees("Timeline");
    await tab.press("g", "j");
    await tab.sees("javascript:window.hacked=1", ".details");
    for (const key of ["}", "}", "]", "]", "]"]) await tab.press(key);
    expect(await tab.evaluate("window.hacked")).toBeUndefined();
    expect(await tab.evaluate(`document.querySelectorAll("a[href^=javascript], img[src=x], main script").length`)).toBe(
      0,
    );
    await tab.close();
  });

  test("can do nothing as a run of evals either", async () => {
    const folder = await testFolder();
    const run = JSON.stringify(evalRun({ n: 1, passed: { late: 4 }, sessionOf: () => "javascript:alert(1)" }));
    // Every text of it but its id and its kind.
    const attacked = JSON.parse(run, (name, value: unknown) =>
      typeof value === "string" && name !== "id" && name !== "status" ? ATTACK : value,
    ) as EvalRun;
    const suite = { ...attacked, cases: attacked.cases.map((one) => ({ ...one, id: ATTACK })), suite: "<img src=x>" };
    await writeRun(folder, suite);
    await using served = await page.serve({ store: new MemoryStore(), evals: { folder } });
    const tab = await InspectorTab.open(browser, `${served.url}#/evals`);
    await tab.click("link", "<img src=x>");
    await tab.sees("<img src=x onerror=", ".eval-grid");
    await tab.clickText(".eval-grid a", "4/5");
    await tab.sees("<img src=x onerror=", ".trials");
    await tab.fill("Compare with", "run-0001/2");
    await tab.until(`document.querySelectorAll(".trials > section").length === 2`);
    expect(await tab.evaluate("window.hacked")).toBeUndefined();
    expect(await tab.evaluate(`document.querySelectorAll("a[href^=javascript], img, main script").length`)).toBe(0);
    await tab.sees("This view could not be loaded");
    // The browser says itself that there is no session of that name.
    tab.errors.splice(0, tab.errors.length, ...tab.errors.filter((text) => !text.includes("404")));
    await tab.close();
  });

  test("with a part of five megabytes is cut, and shown whole when asked", async () => {
    const store = new MemoryStore();
    await sessionOf(store, [say(`begin ${"word ".repeat(1_000_000)}end`)]).send("Talk");
    await using served = await page.serve({ store });
    const tab = await InspectorTab.open(browser, `${served.url}#/s/chat-1`);
    await tab.click("button", "Show all (5 MB)");
    await tab.until(`document.querySelector(".text-rows") !== null`);
    await tab.evaluate(`document.querySelector(".text-rows").scrollTop = 1e9`);
    await tab.sees("end", ".text-rows");
    expect(await tab.evaluate(`document.querySelectorAll(".text-line").length`)).toBeLessThan(100);
    await tab.close();
  });

  test("with broken entries shows the readable ones, and lists the broken ones", async () => {
    const store = new MemoryStore();
    await sessionOf(store, [say("Hi")]).send("Hello");
    const entries = await store.load("chat-1");
    const broken: readonly Json[] = [
      entries[0]!,
      7,
      { v: 3, type: "step" },
      entries[1]!,
      { v: 9, type: "dance" },
      null,
    ];
    const changed = new MemoryStore();
    await changed.append("broken", 0, broken);
    await using served = await page.serve({ store: changed });
    const tab = await InspectorTab.open(browser, `${served.url}#/s/broken`);
    await tab.sees("4 entries of the log unreadable or misplaced");
    await tab.sees("Hi", ".details");
    await tab.clickText("summary", "entries of the log");
    await tab.click("link", "Entry 4");
    await tab.sees('"dance"', ".details");
    await tab.close();
  });
});

test("a text from right to left ends at the left, wherever it is shown", async () => {
  const store = new MemoryStore();
  await sessionOf(store, [say("היא בדרך. המספר הוא 1234-A.")]).send("איפה ההזמנה, A-1234?");
  await using served = await page.serve({ store });
  const endsAtLeft = (selector: string): string => `(() => {
    const [text] = document.querySelector(${JSON.stringify(selector)})?.childNodes ?? [];
    if (text === undefined) return false;
    const leftOf = (at) => {
      const range = document.createRange();
      range.setStart(text, at);
      range.setEnd(text, at + 1);
      return range.getBoundingClientRect().left;
    };
    return leftOf(text.length - 1) < leftOf(0);
  })()`;
  const tab = await InspectorTab.open(browser, served.url);
  await tab.until(endsAtLeft(".session-title"));
  await tab.press("Enter");
  for (const place of ["h1", ".run-input", ".line-turn .line-text", ".part .text-body"])
    await tab.until(endsAtLeft(place));
  await tab.close();
});

test("a session with a price for some of its runs says what has none, and offers the list prices once", async () => {
  const store = new MemoryStore();
  await sessionOf(store, [say("One.")]).send("One?");
  await sessionOf(store, [say("Two.")], { prices: { input: 1, output: 2 } }).send("Two?");
  await using served = await page.serve({ store });
  const tab = await InspectorTab.open(browser, `${served.url}#/s/chat-1`);
  await tab.sees("≥ 0.000020");
  expect(await tab.texts(".prices-note")).toEqual([
    expect.stringMatching(/^No price is known for .+ Use Google's list/),
  ]);
  await tab.close();
});

test("a long session shows its end first, and the rest on demand", async () => {
  const store = new MemoryStore();
  const info = { state: "idle", createdAt: 1, messages: 10, turns: 1000, totalTokens: 1_070_500, cost: 0 } as const;
  await store.append("long", 0, longLog(1000), { info });
  await using served = await page.serve({ store });
  const tab = await InspectorTab.open(browser, `${served.url}#/s/long`);
  await tab.sees("1,000 turns 1.07M tokens");
  await tab.sees("Turn 1000", ".details");
  await tab.press("k");
  await tab.sees("Turn 999", ".details");
  await tab.evaluate(`document.querySelector(".timeline-rows").scrollTop = 0`);
  await tab.click("button", "900 earlier turns: load");
  await tab.seesNot("900 earlier turns");
  await tab.sees("10 runs 1,000 turns 1.07M tokens");
  await tab.sees("Turn 999", ".details");
  await tab.close();
  const direct = await InspectorTab.open(browser, `${served.url}#/s/long/t/7`);
  await direct.sees("Turn 7", ".details");
  await direct.close();
});

test("a session of ten thousand turns only renders the rows in view, from end to end", async () => {
  const store = new MemoryStore();
  await store.append("long", 0, longLog(10_000));
  await using served = await page.serve({ store });
  const tab = await InspectorTab.open(browser, `${served.url}#/s/long`);
  await tab.sees("10,000 turns");
  await tab.sees("Turn 10000", ".details");
  const rows = `document.querySelectorAll(".timeline-rows [role=row]").length`;
  expect(await tab.evaluate(rows)).toBeLessThan(100);
  await tab.press("g");
  await tab.sees("Question run-0", ".timeline-rows");
  await tab.press("e");
  await tab.sees("request", ".timeline-rows");
  expect(await tab.evaluate(rows)).toBeLessThan(120);
  await tab.press("/");
  await tab.type("run-77");
  await tab.sees("Question run-77", ".timeline-rows");
  await tab.press("Escape", "G");
  await tab.sees("Turn 7800", ".details");
  await tab.press("]", "]");
  await tab.sees("Prompt tokens");
  await tab.close();
});

test("thousands of sessions load while scrolling", async () => {
  const store = new MemoryStore();
  const [run] = longLog(100);
  for (let n = 0; n < 3000; n++)
    await store.append(`chat-${n}`, 0, [run!], { info: { title: `Chat number ${n}` } as never });
  await using served = await page.serve({ store });
  const tab = await InspectorTab.open(browser, served.url);
  await tab.sees("250+ shown");
  expect(await tab.evaluate(`document.querySelectorAll("[role=row]").length`)).toBeLessThan(100);
  await tab.press("G");
  await tab.sees("500+ shown");
  await tab.press("/");
  await tab.type("number 17 ");
  await tab.sees("Chat number 17");
  await tab.close();
});

test("a run is shown live", async () => {
  const store = new MemoryStore();
  const [asked, answered] = [deferred(), deferred()];
  const model = new ScriptedModel(call("add", { a: 1, b: 2 }), async () => {
    asked.resolve();
    await answered.promise;
    return say("It is three.");
  });
  const agent = new Agent({ model, tools: [add] });
  const session = agent.session({ id: "live", store });
  const sent = session.send("1 + 2?");
  await asked.promise;
  await using served = await page.serve({ store });
  const tab = await InspectorTab.open(browser, `${served.url}#/s/live`);
  await tab.sees("Running");
  await tab.sees("add(a: 1, b: 2)");
  answered.resolve();
  await sent;
  await tab.sees("It is three.", ".timeline-rows");
  await tab.sees("Done");
  await tab.close();
});

test("a call in progress is running, and has no outcome once its run is gone", async () => {
  const store = new MemoryStore();
  const [begun, ended] = [deferred(), deferred()];
  const slow = defineTool({
    name: "slow",
    description: "Waits.",
    run: async () => {
      begun.resolve();
      await ended.promise;
    },
  });
  const stop = new AbortController();
  const sent = sessionOf(store, [call("slow")], { tools: [slow] }).send("Wait", { signal: stop.signal });
  const over = sent.catch(() => {});
  await begun.promise;
  await using served = await page.serve({ store });
  const tab = await InspectorTab.open(browser, `${served.url}#/s/chat-1`);
  await tab.sees("running", ".call h3");
  stop.abort();
  await over;
  ended.resolve();
  await tab.sees("no outcome", ".call h3");
  await tab.close();
});

test("the answer in progress is shown live", async () => {
  const store = new MemoryStore();
  const [run] = longLog(1);
  const { runId } = run as { readonly runId: string };
  await store.append("live", 0, [run!]);
  const lease = { token: 1, beat: 1, held: true, runId, durationMs: 600_000 };
  await store.setLease("live", undefined, lease);
  await using served = await page.serve({ store });
  const tab = await InspectorTab.open(browser, `${served.url}#/s/live`);
  await tab.sees("The run is active.", ".draft");
  await store.setDraft("live", 1, {
    runId,
    step: "model:1",
    place: { kind: "model", phase: "work", turn: 1, attempt: 0 },
    attempt: 1,
    parts: [{ text: "It is going to rain" }],
  });
  await tab.sees("It is going to rain", ".draft");
  await store.setLease("live", lease, { ...lease, beat: 2, held: false });
  await tab.sees("Cut off");
  expect(await tab.texts(".draft")).toEqual([]);
  await tab.close();
});

test("a stopped server is reported", async () => {
  const store = new MemoryStore();
  await sessionOf(store, [say("Hi")]).send("Hello");
  const served = await page.serve({ store });
  const tab = await InspectorTab.open(browser, served.url);
  await tab.sees("1 shown");
  const session = await InspectorTab.open(browser, `${served.url}#/s/chat-1`);
  await session.sees("Hi", ".details");
  await served[Symbol.asyncDispose]();
  await session.sees("Not up to date: The inspector's server doesn't answer.");
  session.errors.splice(0);
  await session.close();
  await tab.click("button", "Waiting");
  await tab.sees("The inspector's server doesn't answer. Restart it, then open its address, which may be new.");
  expect(await tab.texts("[role=alert] button")).toEqual(["Try again"]);
  // The browser says so itself.
  tab.errors.splice(0);
  await tab.close();
});

test("the bytes are the ones that the service received", async () => {
  const received: string[] = [];
  const emulator = createEmulator({
    brain: script([emulatedCalls({ name: "add", args: { a: 1, b: 2 } }), emulatedSay("Größer: 漢字 🌍")]),
  });
  const store = new MemoryStore();
  const kept = new MemoryStore();
  const keeper = keepExchanges(kept);
  const agent = new Agent({
    model: gemini("gemini-3.8-flash", {
      endpoint: endpoint({ baseUrl: "http://gemini.test", apiKey: "k" }),
      fetch: async (input, init) => {
        received.push(await new Request(input, init).text());
        return await emulator.fetch(input, init);
      },
    }),
    tools: [add],
    observers: [keeper],
  });
  await agent.session({ id: "bytes", store }).send("1 + 2, and “größer”?");
  await keeper.flush();
  await using served = await page.serve({ store, exchanges: kept });
  expect(received).toHaveLength(2);
  const tab = await InspectorTab.open(browser, `${served.url}#/s/bytes/wire/0`);
  for (const [n, body] of received.entries()) {
    await tab.go(`#/s/bytes/wire/${n}`);
    await tab.sees(`Request ${n}`, ".details h2");
    await tab.clickText(".message button", "Raw");
    const shown = `[...document.querySelectorAll('[aria-label="Request body"] .text-line code')].map((line) => line.textContent).join("")`;
    await tab.until(`(${shown}) === ${JSON.stringify(body)}`, "shows the bytes of the request");
  }
  await tab.close();
});

test("the requests of a new run join the list, and a deleted session is reported", async () => {
  const [store, kept] = [new MemoryStore(), new MemoryStore()];
  const keeper = keepExchanges(kept);
  const emulator = createEmulator({ brain: script([emulatedSay("One."), emulatedSay("Two.")]) });
  const agent = new Agent({
    model: gemini("gemini-3.8-flash", {
      endpoint: endpoint({ baseUrl: "http://gemini.test", apiKey: "k" }),
      fetch: (input, init) => emulator.fetch(input, init),
    }),
    observers: [keeper],
  });
  const send = async (text: string): Promise<void> => {
    await agent.session({ id: "grows", store }).send(text);
    await keeper.flush();
  };
  await send("First");
  await using served = await page.serve({ store, exchanges: kept });
  const tab = await InspectorTab.open(browser, `${served.url}#/s/grows/wire`);
  const steps = `[...document.querySelectorAll(".exchange-step")].length`;
  await tab.until(`${steps} === 1`);
  await send("Second");
  await tab.until(`${steps} === 2`);
  await tab.go("#/s/grows");
  await tab.sees("Two.", ".timeline-rows");
  await store.delete("grows");
  await tab.sees("No runs yet");
  await kept.delete("grows");
  await tab.sees("Not up to date: There is no such session.");
  // The browser says so itself.
  tab.errors.splice(0, tab.errors.length, ...tab.errors.filter((text) => !text.includes("404")));
  await tab.close();
});

describe("files dropped onto the page", () => {
  const drop = async (tab: InspectorTab, files: readonly { readonly name: string; readonly text: string }[]) =>
    await tab.evaluate(`{
      const dataTransfer = new DataTransfer();
      for (const { name, text } of ${JSON.stringify(files)}) dataTransfer.items.add(new File([text], name));
      document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
    }`);

  test("are shown like any session, without sending anything", async () => {
    const store = new MemoryStore();
    await sessionOf(store, [call("add", { a: 1, b: 2 }), say("It is three.")]).send("1 + 2?");
    const text = (await store.load("chat-1")).map((entry) => `${JSON.stringify(entry)}\n`).join("");
    await using served = await page.serve({ store: new MemoryStore() });
    const tab = await InspectorTab.open(browser, served.url);
    await tab.sees("No sessions yet");
    await drop(tab, [{ name: "sums.jsonl", text: `${text}{ torn` }]);
    await tab.sees("It is three.", ".details");
    await tab.sees("File: sums.jsonl");
    await tab.sees("1 entry of the log unreadable or misplaced");
    await tab.click("button", "Close file");
    await tab.sees("No sessions yet");
    await tab.close();
  });

  test("can be recordings, with their requests", async () => {
    const request = { contents: [{ role: "user", parts: [{ text: "Where is it?" }] }] };
    const answer = { candidates: [{ content: { role: "model", parts: [{ text: "There." }] }, finishReason: "STOP" }] };
    const exchange = { method: "POST", path: "/v1beta/models/m:generateContent", model: "m", status: 200, request };
    await using served = await page.serve({ store: new MemoryStore() });
    const tab = await InspectorTab.open(browser, served.url);
    await tab.sees("No sessions yet");
    const text = JSON.stringify({ exchanges: [{ ...exchange, responseBody: JSON.stringify(answer) }] });
    await drop(tab, [{ name: "talk.json", text }]);
    await tab.sees("There.", ".details");
    await tab.press("]");
    await tab.sees("Where is it?", ".details");
    await tab.close();
  });

  test.skipIf(!existsSync(RECORDINGS))(
    "can be recordings of other projects (skipped where they are absent)",
    async () => {
      const names = readdirSync(RECORDINGS, { recursive: true, encoding: "utf8" }).filter((name) =>
        name.endsWith(".json"),
      );
      const some = names.toSorted().filter((_, index) => index % 25 === 0);
      await using served = await page.serve({ store: new MemoryStore() });
      const tab = await InspectorTab.open(browser, served.url);
      await tab.sees("No sessions yet");
      const files = some.map((name, n) => ({ name: `${n}.json`, text: readFileSync(join(RECORDINGS, name), "utf8") }));
      await drop(tab, files);
      await tab.sees(`${some.length} shown`);
      for (const n of some.keys()) {
        await tab.go(`#/s/${n}`);
        await tab.until(`document.querySelector(".details .turn-head") !== null`, `shows ${some[n]}`);
        await tab.go(`#/s/${n}/wire`);
        await tab.until(`document.querySelector(".exchange .message") !== null`, `shows the wire of ${some[n]}`);
        expect(await tab.texts("[role=alert], .banner.is-error summary")).toEqual([]);
      }
      await tab.close();
    },
  );

  test("of other kinds are refused with a reason", async () => {
    await using served = await page.serve({ store: new MemoryStore() });
    const tab = await InspectorTab.open(browser, served.url);
    await tab.sees("No sessions yet");
    await drop(tab, [{ name: "holiday.txt", text: "We went to the sea." }]);
    await tab.sees("This is not a session file");
    await tab.close();
  });
});
