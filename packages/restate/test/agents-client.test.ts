import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { EngineError } from "@pollux/engine";
import { agentsClient, register } from "@pollux/restate";
import { describe, expect, test } from "vitest";

describe("a client without a server", () => {
  test("says where it looked and what to do", async () => {
    const closed = await new Promise<Server>((resolve) => {
      const server = createServer();
      server.listen(0, "127.0.0.1", () => resolve(server));
    });
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const at = `http://127.0.0.1:${port}`;
    const run = agentsClient({ ingress: at, retryForMs: 0 }).run("planner", "p1");
    const unreachable = { name: "EngineError", code: "server-unreachable", message: expect.stringContaining(at) };
    await expect(run.result()).rejects.toMatchObject(unreachable);
    await expect(run.state()).rejects.toMatchObject(unreachable);
    await expect(run.steer("x")).rejects.toMatchObject(unreachable);
    await expect(run.cancel()).rejects.toMatchObject(unreachable);
    await expect(run.events()[Symbol.asyncIterator]().next()).rejects.toMatchObject(unreachable);
    await expect(agentsClient({ ingress: at, retryForMs: 0 }).start("planner", "x")).rejects.toBeInstanceOf(
      EngineError,
    );
    await expect(register({ admin: at, uri: "http://127.0.0.1:1" })).rejects.toMatchObject(unreachable);
  });

  test("the names of agents are checked when they are given", () => {
    const client = agentsClient<"planner" | "critic">();
    expect(client.run("critic", "c1")).toMatchObject({ agent: "critic", runId: "c1" });
    // @ts-expect-error No such agent.
    client.run("plannner", "c1");
  });
});
