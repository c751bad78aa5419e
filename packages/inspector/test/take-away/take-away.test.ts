import { Agent, MemoryStore } from "@pollux/core";
import { readExchanges } from "@pollux/core/exchanges";
import { call, grounded, hangs, parts, say, ScriptedModel, think, join } from "@pollux/core/testing";
import { call as calling, createEmulator, loadRecording, replay, say as saying, script } from "@pollux/emulator";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import { describe, expect, test } from "vitest";
import type { TakenFiles } from "../../src/inspection/results.ts";
import { curlOf } from "../../src/take-away/curl.ts";
import { detailsOf } from "../support/exchange-details.ts";
import { inspect, keptSession } from "../support/inspected.ts";
import { sessionOf } from "../support/sessions.ts";

const sum = () => script([calling("add", { a: 1, b: 2 }), saying("It is 3, isn't it?")]);
const KEY = `AIza${"k".repeat(35)}`;

async function inTemp<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(joinPath(tmpdir(), "pollux-take-away-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe("curl", () => {
  test("is a script with the verbatim body, and no key", async () => {
    const { store, exchanges } = await keptSession(sum(), "What is 1 + 2?");
    const { files } = await inspect({ store, exchanges }).view<TakenFiles>("take-curl", { n: "0" });
    const body = new TextDecoder().decode((await readExchanges(exchanges, "chat-1")).body(0));
    expect(files).toEqual([
      {
        name: "request-0.sh",
        text: expect.stringContaining(`<<'BODY'\n${body}\nBODY\n`),
      },
    ]);
    expect(files[0]?.text).not.toContain("emulator-key");
    const none = inspect({ store, exchanges }).view("take-curl", { n: "7" });
    await expect(none).rejects.toThrow("404 not_found");
  });

  test.each([
    [
      "a token",
      "https://aiplatform.googleapis.com/v1/x",
      [["authorization", "Bearer [redacted]"]],
      "Bearer $GOOGLE_ACCESS_TOKEN",
    ],
    ["another host", "https://example.com/v1beta/x", [["x-goog-api-key", "[redacted]"]], "x-goog-api-key: $API_KEY"],
    ["a damaged address", "http://[", [], "x-goog-api-key: $GEMINI_API_KEY"],
    ["a recording", "/v1beta/models/x:generateContent?key=[redacted]", [], "x-goog-api-key: $GEMINI_API_KEY"],
  ] as const)("%s has its own variable, so that a key goes where it belongs", (_, url, headers, expected) => {
    const { text } = curlOf(detailsOf(url, headers, "{}"));
    expect(text).toContain(expected);
    expect(text).not.toContain("redacted");
    expect(text).not.toContain("key=");
  });
});

describe("the test of a run", () => {
  test("has the settings that its requests had", async () => {
    const settings = { temperature: 0.5, stopSequences: ["END"] };
    const { store, exchanges } = await keptSession(sum(), "What is 1 + 2?", { settings });
    const { files } = await inspect({ store, exchanges }).view<TakenFiles>("take-test");
    expect(files[0]?.text.replaceAll(/\s/g, "")).toContain('settings:{"temperature":0.5,"stopSequences":["END"]},');
  });

  test("its recording is one that the emulator replays", async () => {
    const { store, exchanges } = await keptSession(sum(), "What is 1 + 2?");
    const { files } = await inspect({ store, exchanges }).view<TakenFiles>("take-test");
    expect(files.map(({ name }) => name)).toEqual(["chat-1.test.ts", "chat-1.recording.json"]);
    await inTemp(async (folder) => {
      const path = joinPath(folder, "chat-1.recording.json");
      await writeFile(path, files[1]?.text ?? "");
      const { exchanges: recorded } = await loadRecording(path);
      expect(recorded).toHaveLength(2);
      const emulator = createEmulator({ brain: replay(path) });
      const answer = await emulator.fetch(recorded[0]?.path ?? "", {
        method: "POST",
        headers: { "x-goog-api-key": "k", "content-type": "application/json" },
        body: JSON.stringify(recorded[0]?.request),
      });
      expect(await answer.text()).toBe(recorded[0]?.responseBody);
    });
    expect(files[0]?.text).toContain("// The recorded answer: It is 3, isn't it?");
    expect(files[0]?.text).toContain("Write the expected answer here.");
  });
});

describe("the session file", () => {
  test("is the log, line by line, including unreadable lines", async () => {
    const store = new MemoryStore();
    await sessionOf(store, [say("Hello.")]).send("Hi");
    await store.append("chat-1", 3, [{ unreadable: "it is not JSON", text: '{"v":3,"ty' }]);
    const { files } = await inspect({ store }).view<TakenFiles>("take-file");
    const [file] = files;
    expect(file?.name).toBe("chat-1.jsonl");
    const lines = file?.text.split("\n") ?? [];
    expect(lines.slice(3)).toEqual(['{"v":3,"ty', ""]);
    expect(lines.slice(0, 3).map((line) => JSON.parse(line) as unknown)).toEqual(
      (await store.load("chat-1")).slice(0, 3),
    );
  });
});

describe("the page of a session", () => {
  async function pageOf(store: MemoryStore, secrets: readonly string[] = []): Promise<string> {
    const { files } = await inspect({ store, secrets }).view<TakenFiles>("take-page");
    expect(files[0]?.name).toBe("chat-1.html");
    return files[0]?.text ?? "";
  }

  test("has the messages, calls, sources and usage", async () => {
    const store = new MemoryStore();
    const answer = grounded("Oslo is wet.", {
      sources: [{ uri: "https://example.com/a?b=1&c=2", title: "Weather", supports: ["Oslo"] }],
    });
    await sessionOf(store, [join(think("I add."), call("add", { a: 1, b: 2 })), answer]).send("What is 1 + 2?");
    const page = await pageOf(store);
    for (const text of [
      "What is 1 + 2?",
      "I add.",
      "add",
      "&quot;output&quot;: 3",
      "Oslo is wet.",
      "finished",
      "tokens",
    ])
      expect(page).toContain(text);
    expect(page).toContain('<a href="https://example.com/a?b=1&amp;c=2" rel="noreferrer">Weather</a>');
  });

  test("hostile text is escaped, and loads nothing", async () => {
    const store = new MemoryStore();
    const evil = `</p></style><script>alert(1)</script><img src=x onerror="alert(2)">`;
    const answer = grounded("Well.", { sources: [{ uri: "javascript:alert(3)", title: evil, supports: ["Well"] }] });
    const odd = parts({ functionCall: { name: "add", args: { [evil]: evil } } }, { text: evil });
    await sessionOf(store, [odd, answer]).send(evil);
    const page = await pageOf(store);
    expect(page).not.toMatch(/<script|<img|javascript:alert\(3\)"|onerror="/);
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/\s(?:src|href)="(?!https?:|#)/);
  });

  test("has no keys, no signatures and no bytes of media", async () => {
    const store = new MemoryStore();
    const image = { inlineData: { mimeType: "image/png", data: "A".repeat(4000) } };
    const signed = parts({ text: `The key is ${KEY}, and my-own-secret.`, thoughtSignature: "c2lnbmF0dXJl" }, image);
    await sessionOf(store, [signed]).send("Tell me.");
    const page = await pageOf(store, ["my-own-secret"]);
    expect(page).toContain("The key is [redacted], and [redacted].");
    expect(page).toContain("image/png, 3 KB, not in this file");
    expect(page).not.toMatch(/AIza|my-own-secret|c2lnbmF0dXJl|A{100}/);
  });

  test("of a damaged log, too", async () => {
    const store = new MemoryStore();
    await store.append("chat-1", 0, [null, { v: 3, type: "run", runId: "r", at: 1e300, input: "x" }, { type: "end" }]);
    expect(await pageOf(store)).toContain("no end in the log");
  });
});

test("the recording of a log has all its token counts", async () => {
  const store = new MemoryStore();
  await sessionOf(store, [say("Hi.")]).send("Hello?");
  const { files } = await inspect({ store }).view<TakenFiles>("take-test");
  const { exchanges }: any = JSON.parse(files[1]?.text ?? "");
  const [, data] = exchanges[0].responseBody.split("data: ");
  const { promptTokenCount: prompt, candidatesTokenCount: answer, totalTokenCount } = JSON.parse(data).usageMetadata;
  expect(prompt + answer).toBe(totalTokenCount);
});

describe("the page without people's words", () => {
  async function pageOf(store: MemoryStore): Promise<string> {
    const { files, notes } = await inspect({ store }).view<TakenFiles>("take-page-without-people");
    expect(notes).toEqual([expect.stringContaining("Read it before you share it.")]);
    return files[0]?.text ?? "";
  }

  test("has neither messages, nor answers to questions, nor passages and numbers that repeat them", async () => {
    const store = new MemoryStore();
    const asks = call("pay", { to: "ann@example.com", amount: 4711 });
    const tells = say("You live at twelve Elm Street in Dover, Ann. The order 8834-x is on its way; it rains.");
    const session = sessionOf(store, [asks, tells]);
    await session.send("I live at twelve Elm Street in Dover. Pay 4711 to ann@example.com for 8834-X.");
    const { pending } = await session.state();
    await session.resume({
      approvals: Object.fromEntries(pending.map(({ token }) => [token, { deny: "my wife says no" }])),
    });
    const page = await pageOf(store);
    for (const gone of ["Elm Street", "Dover", "ann@example.com", "8834", "my wife", "<title>I live"])
      expect(page).not.toContain(gone);
    for (const left of [
      "it rains",
      "pay",
      "The order […] is on its way",
      "People's words were removed: ",
      "<title>chat-1</title>",
    ])
      expect(page).toContain(left);
  });

  test("an unfinished answer is shown, without passages that repeat a message", async () => {
    const store = new MemoryStore();
    const stop = new AbortController();
    const stream = sessionOf(store, [hangs("Ann, you live at twelve Elm Street in Dover.")]).stream(
      "I live at twelve Elm Street in Dover.",
      { signal: stop.signal },
    );
    const read = async (): Promise<void> => {
      for await (const { type } of stream) if (type === "text-delta") stop.abort();
    };
    await expect(read()).rejects.toThrow();
    const { files } = await inspect({ store }).view<TakenFiles>("take-page");
    expect(files[0]?.text).toContain("Ann, you live at twelve Elm Street");
    const page = await pageOf(store);
    expect(page).toContain("Ann, you");
    expect(page).not.toContain("Elm Street");
  });

  test("has no passages that repeat a message from before the session", async () => {
    const store = new MemoryStore();
    const history = [
      { role: "user", parts: [{ text: "My order is 8834-x, to twelve Elm Street in Dover." }] },
      { role: "model", parts: [{ text: "Thanks." }] },
    ];
    const agent = new Agent({
      model: new ScriptedModel(say("Order 8834-x goes to twelve Elm Street in Dover today.")),
    });
    await agent.session({ id: "chat-1", store, history }).send("And now?");
    const page = await pageOf(store);
    for (const gone of ["8834", "Elm Street"]) expect(page).not.toContain(gone);
    expect(page).toContain("today");
  });

  test("a script without spaces is removed, too", async () => {
    const store = new MemoryStore();
    await sessionOf(store, [say("了解しました。私は東京に住んでいますね。晴れです。")]).send(
      "私は東京に住んでいます。",
    );
    const page = await pageOf(store);
    expect(page).not.toContain("東京");
    expect(page).toContain("晴れです");
  });

  test("the log and the whole page stay unchanged", async () => {
    const store = new MemoryStore();
    await sessionOf(store, [say("Hello.")]).send("It is me, the one from Dover.");
    const before = await store.load("chat-1");
    await pageOf(store);
    expect(await store.load("chat-1")).toEqual(before);
    const { files } = await inspect({ store }).view<TakenFiles>("take-page");
    expect(files[0]?.text).toContain("the one from Dover");
    expect(files[0]?.text).not.toContain("were removed");
  });
});

test("a turn of the HTML file has the address that it has in the inspector's page", async () => {
  const store = new MemoryStore();
  const session = sessionOf(store, [say("One."), say("Two.")], { id: "my chat/1" });
  await session.send("First.");
  await session.send("Second.");
  const { files } = await inspect({ store }).view<TakenFiles>("take-page", {}, encodeURIComponent("my chat/1"));
  expect(files[0]?.text).toContain('<article id="/s/my%20chat%2F1/t/2">');
  expect(files[0]?.text).toContain('<a href="#/s/my%20chat%2F1/t/2">Turn 2</a>');
});
