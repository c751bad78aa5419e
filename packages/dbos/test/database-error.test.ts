import { createServer } from "node:net";
import { EngineError } from "@pollux/engine";
import { describe, expect, it } from "vitest";
import { agentsClient, serveAgents, takeOver } from "../src/index.ts";
import { databaseError } from "../src/database-error.ts";
import { testAgents } from "./support/agents.ts";

describe("a database that does not answer", () => {
  it("is named, without the password, by workers, clients and helpers", async () => {
    const port = await closedPort();
    const databaseUrl = `postgresql://ada:secret@127.0.0.1:${port}/runs`;
    const client = agentsClient({ databaseUrl });
    const attempts = [
      () => client.start("clerk", "go"),
      () => client.run("clerk", "r1").result(),
      () => serveAgents({ agents: testAgents({ log: () => {} }), databaseUrl }),
      () => takeOver({ databaseUrl }),
    ];
    for (const attempt of attempts) {
      const error: unknown = await attempt().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(EngineError);
      expect(error).toMatchObject({
        name: "EngineError",
        code: "server-unreachable",
        message: `no database answers at 127.0.0.1:${port}/runs (ECONNREFUSED): start Postgres, or pass its URL as \`databaseUrl\``,
      });
    }
    await client.close();
    await expect(client.start("clerk", "go")).rejects.toMatchObject({ code: "not-launched" });
  });

  it("has to be given", async () => {
    const before = process.env["DBOS_SYSTEM_DATABASE_URL"];
    delete process.env["DBOS_SYSTEM_DATABASE_URL"];
    expect(() => agentsClient()).toThrow("databaseUrl is missing");
    if (before !== undefined) process.env["DBOS_SYSTEM_DATABASE_URL"] = before;
  });
});

describe("a database's error", () => {
  const url = "postgresql://ada:secret@db.example:5432/runs";

  it.each([
    ["ENOTFOUND", "server-unreachable"],
    ["57P03", "server-unreachable"],
    ["28P01", "server-refused"],
    ["3D000", "server-refused"],
    ["42P01", "no-tables"],
    ["3F000", "no-tables"],
  ])("%s is %s", (code, expected) => {
    const cause = Object.assign(new Error("words of the server"), { code });
    const error = databaseError(cause, url);
    expect(error).toMatchObject({ code: expected, cause });
    expect(String(error)).toContain("db.example:5432/runs");
    expect(String(error)).not.toContain("secret");
  });

  it("of several addresses is that of the first", () => {
    const cause = new AggregateError([Object.assign(new Error("refused"), { code: "ECONNREFUSED" })]);
    expect(databaseError(cause, undefined)).toMatchObject({ code: "server-unreachable" });
  });

  it("that is of another kind stays as it is", () => {
    const cause = Object.assign(new Error("duplicate key"), { code: "23505" });
    expect(databaseError(cause, url)).toBe(cause);
  });
});

/** A port of loopback on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
