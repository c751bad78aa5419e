import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { Agent, type Content, type Logger, type LogMethod, mcpServer, MemoryStore, type Part } from "@pollux/core";
import type { Observer } from "@pollux/core/observers";
import { keepExchanges } from "@pollux/core/exchanges";
import { answeredCall, faults, type FaultRule, join as inOneTurn, recordFetch, say, script } from "@pollux/emulator";
import { inspectorHandler } from "@pollux/inspector";
import { describe, expect, test } from "vitest";
import { faces } from "../../packages/core/test/helpers/faces.ts";
import { openWorld } from "../support/world.ts";

const DOCS = "https://docs.example/mcp";
const docs = mcpServer({ name: "docs", url: DOCS, timeoutMs: 30_000 });
const user = (text: string): Content => ({ role: "user", parts: [{ text }] });

/** A turn with a lookup by the service itself. */
const looked = inOneTurn(
  answeredCall("search_docs", { q: "tides" }, { call_tool_result_json: "[]" }),
  say("No tides."),
);
const LOOKED: readonly Part[] = [
  { functionCall: { name: "search_docs", args: { q: "tides" } } },
  { functionResponse: { name: "search_docs", response: { call_tool_result_json: "[]" } } },
  { text: "No tides." },
];

describe.each(faces)("%s", (face, read) => {
  test("a server is sent as the API wants it, and what it did goes back as it came", async () => {
    await using world = await openWorld({ brain: script([looked, say("Yes.")]) });
    const mail = mcpServer({ name: "mail", url: "https://mail.example/mcp" });
    const agent = new Agent({ model: world.model(), tools: [docs, mail] });
    const first = await read(agent, "Tides?");
    expect(first).toMatchObject({
      stopReason: "finished",
      text: "No tides.",
      turns: 1,
      contents: [user("Tides?"), {}],
    });
    expect(await read(agent, [...first.contents, user("Sure?")])).toMatchObject({ text: "Yes." });
    const tools = [
      { mcpServers: [{ name: "docs", streamableHttpTransport: { url: DOCS, timeout: "30s" } }] },
      { mcpServers: [{ name: "mail", streamableHttpTransport: { url: "https://mail.example/mcp" } }] },
    ];
    const { contents } = JSON.parse(world.bodies[1] ?? "") as { readonly contents: readonly Content[] };
    // A signature on the call is the emulator's.
    const parts = contents[1]?.parts.map(({ thoughtSignature: _signature, ...part }) => part);
    expect(parts).toEqual(LOOKED);
    expect(world.bodies.map((body) => JSON.parse(body) as unknown)).toEqual([
      { tools, contents: [user("Tides?")] },
      { tools, contents: [...first.contents, user("Sure?")] },
    ]);
  });

  const KEY = "Zq7~unusual+mcp/key";
  const keyed = mcpServer({
    name: "docs",
    url: `${DOCS}?apiKey=${encodeURIComponent("qu3ry/secret")}`,
    headers: { Authorization: `Bearer ${KEY}`, "X-Account": "acc0unt-4711" },
  });
  const HIDDEN = /unusual|qu3ry|acc0unt|dW51c3VhbC/;

  test.each<[string, readonly FaultRule[]]>([
    ["in a good run", []],
    [
      "when the service says them back",
      [{ at: 1, fault: faults.apiError(400, "BAD", `${KEY} acc0unt-4711 qu3ry/secret`) }],
    ],
  ])("its keys are in no log, error, recording, kept exchange or inspector %s", async (_when, rules) => {
    const folder = await mkdtemp(join(tmpdir(), "pollux-mcp-"));
    try {
      await using world = await openWorld({ brain: script([looked]), faults: rules });
      const lines: unknown[] = [];
      const line: LogMethod = (facts, message) => void lines.push(JSON.stringify(facts), message);
      const logger: Logger = { trace: line, debug: line, info: line, warn: line, error: line };
      const fetch = recordFetch(folder, { name: "r" });
      const exchanges: unknown[] = [];
      const observer: Observer = {
        exchange: (one) => void exchanges.push({ ...one, body: new TextDecoder().decode(one.body) }),
      };
      const [store, kept] = [new MemoryStore(), new MemoryStore()];
      const agent = new Agent({
        model: world.model(undefined, { fetch, logger, retry: { maxAttempts: 1 } }),
        tools: [keyed],
        logger,
        observers: [observer, keepExchanges(kept)],
      });
      const session = agent.session({ id: "one", store });
      const answer = face === "run" ? session.send("Tides?") : session.stream("Tides?").result();
      const outcome: unknown = await answer.catch((error: unknown) => error);
      await fetch.saved();
      expect(world.emulator.requests[0]?.body).toMatchObject({ tools: [keyed.wire] });
      const inspector = inspectorHandler({ store, exchanges: kept, authorize: () => true });
      const pages = await Promise.all(
        ["", "/log", "/exchanges", "/exchanges/0"].map(async (path) => {
          const page = await inspector(new Request(`http://localhost/inspector/api/sessions/one${path}`));
          return [page.status, await page.text()];
        }),
      );
      expect(pages.map(([status]) => status)).toEqual([200, 200, 200, 200]);
      const shown = {
        outcome: inspect(outcome, { depth: Infinity }),
        tool: inspect(agent, { depth: Infinity, showHidden: true }),
        lines,
        exchanges,
        entries: await store.load("one"),
        kept: await kept.load("one"),
        pages,
        recording: await readFile(fetch.file ?? "", "utf8"),
      };
      for (const [place, value] of Object.entries(shown)) {
        const text = JSON.stringify(value);
        expect(HIDDEN.exec(text), `${place}: ${text}`).toBeNull();
      }
      for (const value of [exchanges, shown.kept, lines, pages[3], shown.recording])
        expect(JSON.stringify(value)).toContain("[redacted]");
      expect(JSON.parse(shown.recording)).toMatchObject({
        exchanges: [{ request: { tools: [{ mcpServers: [{ name: "docs" }] }] } }],
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
