import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type McpServerError, mcpTools } from "../src/mcp.ts";
import { useOddServer } from "./mcp/odd-server.ts";
import { isAlive, pathOf, use } from "./mcp/support.ts";

const { folder, node, odd, servers, starts } = useOddServer();

// What takes several processes, or waits for one to end; the rest is in `mcp.test.ts`.
describe("a server that does not start", () => {
  test.each([8_185, 8_300])("shows no rest of a secret that is cut, %i characters from the end", async (length) => {
    const started = mcpTools({
      command: node,
      args: [pathOf("odd-server.mjs"), "dies-at-length", folder(), String(length)],
      env: { DATABASE_KEY: "abcdefghijklmnopqrst" },
    });
    const { stderr } = await started.then(
      () => ({ stderr: "" }),
      (error: McpServerError) => error,
    );
    expect(stderr.replace(/^[a-z]*\]/, "")).toMatch(/^y{8000,}$/);
  });

  test("one that never answers ends with the time limit", async () => {
    await expect(odd("never-answers", { startTimeoutMs: 50 })).rejects.toThrow(
      /it did not respond within 50 ms; raise `startTimeoutMs` if it downloads something first$/,
    );
    await expect.poll(servers).toEqual([]);
  });

  test("an abort ends the start", async () => {
    const abort = new AbortController();
    const reason = new Error("enough");
    const started = odd("never-answers", { signal: abort.signal });
    started.catch(() => {});
    await expect.poll(() => existsSync(join(folder(), "asked"))).toBe(true);
    abort.abort(reason);
    await expect(started).rejects.toBe(reason);
    await expect.poll(servers).toEqual([]);
    await expect(odd("never-answers", { signal: abort.signal })).rejects.toBe(reason);
  });
});

describe("a server that dies", () => {
  test("one that dies again at once stays down, until it is asked for", async () => {
    await using server = await odd("");
    expect(await use(server.tools, "read_only_die")).toEqual({
      ok: false,
      kind: "failed",
      message: "the MCP server exited during this call (exit code 5)",
    });
    expect(await use(server.tools, "hello")).toEqual({
      ok: false,
      kind: "failed",
      message: "the MCP server exited again (exit code 5) and will not be restarted; continue without its tools",
    });
    expect(starts()).toHaveLength(2);
    await server.refresh();
    expect(await use(server.tools, "hello")).toEqual({ ok: true, output: "hello of start 3" });
  });

  test("one that does not start again is answered as data", async () => {
    await using server = await odd("starts-once");
    await use(server.tools, "die");
    const gone = {
      ok: false,
      kind: "failed",
      message: "the MCP server exited and could not be restarted; continue without its tools",
    };
    expect(await use(server.tools, "hello")).toEqual(gone);
    expect(await use(server.tools, "hello")).toMatchObject({ ok: false, kind: "failed" });
    expect(starts()).toHaveLength(2);
  });

  test("calls beside each other share one new process", async () => {
    await using server = await odd("");
    await use(server.tools, "die");
    const outcomes = await Promise.all([1, 2, 3].map(() => use(server.tools, "hello")));
    expect(outcomes).toEqual([1, 2, 3].map(() => ({ ok: true, output: "hello of start 2" })));
  });
});

describe("the process", () => {
  test.for(["stubborn", "has-child"])("is gone after closing, with what it has started: %s", async (mode) => {
    const server = await odd(mode);
    const pids = starts();
    expect(pids.filter(isAlive)).toEqual(pids);
    await server.close();
    expect(pids).toHaveLength(mode === "has-child" ? 2 : 1);
    await expect.poll(() => pids.filter(isAlive)).toEqual([]);
  });
});
