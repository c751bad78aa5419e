import { readdirSync, readFileSync } from "node:fs";
import type { Server } from "node:http";
import { Agent } from "@pollux/core";
import { call, calls, say, ScriptedModel } from "@pollux/core/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { HOSTILE_INPUTS } from "../../../test/support/hostile-inputs.ts";
import { programFile } from "../../../test/support/programs.ts";
import { openApiSearch, openApiTools } from "../src/openapi.ts";
import { processorTime } from "./helpers/processor-time.ts";
import { survivesDocuments } from "./openapi/survives-documents.ts";
import { use } from "./mcp/support.ts";
import { type Answer, json, type Seen, startService } from "./openapi/service.ts";

let seen: Seen[] = [];
let answer: Answer;
let server: Server;
let base: string;

beforeAll(async () => {
  [server, base] = await startService(
    (one) => void seen.push(one),
    (request, response) => answer(request, response),
  );
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

beforeEach(() => {
  seen = [];
  answer = json({ ok: true });
});

let parsed: object | undefined;
/** GitHub's document, 12 MB, parsed once. */
const github = (): object => {
  parsed ??= JSON.parse(
    readFileSync(programFile("@octokit/openapi", "generated/api.github.com.json"), "utf8"),
  ) as object;
  return parsed;
};

describe("documents in use", () => {
  test("every operation of GitHub becomes a tool, and single ones are made without the rest", async () => {
    const document = github();
    const every = (): ReturnType<typeof openApiTools> => openApiTools(document, { operations: () => true });
    const made: ReturnType<typeof openApiTools>[] = [];
    const all = await processorTime(() => made.push(every()));
    const { tools, operations, skipped } = made.at(-1) ?? every();
    expect({ tools: tools.length, operations: operations.size, skipped }).toEqual({
      tools: 1223,
      operations: 1223,
      skipped: [],
    });
    expect(tools.filter(({ name }) => !/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(name))).toEqual([]);
    expect(Math.max(...tools.map(({ declaration }) => JSON.stringify(declaration).length))).toBeLessThan(45_000);
    const some = (): ReturnType<typeof openApiTools> =>
      openApiTools(document, { operations: ["repos/get", "GET /repos/{owner}/{repo}/issues"] });
    const two = await processorTime(some);
    const chosen = some();
    expect([...chosen.operations.keys()]).toEqual(["repos_get", "issues_list_for_repo"]);
    expect(two).toBeLessThan(all / 3);
    expect(chosen.tools[0]?.declaration).toEqual({
      name: "repos_get",
      description: expect.stringMatching(
        /^Get a repository\..*\(GET \/repos\/\{owner\}\/\{repo\}\) Returns an object with id/,
      ),
      parametersJsonSchema: {
        type: "object",
        properties: {
          owner: {
            type: "string",
            description: "The account owner of the repository. The name is not case sensitive.",
          },
          repo: {
            type: "string",
            description: "The name of the repository without the `.git` extension. The name is not case sensitive.",
          },
        },
        required: ["owner", "repo"],
      },
    });
  });

  test("GitHub without a choice is an error that says how to choose", () => {
    expect(() => openApiTools(github())).toThrow(
      'This OpenAPI document has 1223 operations, too many to offer at once. Select some with `operations`, such as "meta/root", ' +
        '"security-advisories/list-global-advisories", "security-advisories/get-global-advisory", "meta/*", or let the model look them up with openApiSearch().',
    );
  });

  test.each(["2.0", "3.0", "3.1"])("the examples for %s become tools", (version) => {
    const folder = programFile("@readme/oas-examples", `${version}/json`);
    const counts = readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".json") && !/webhooks|title/.test(file))
      .map((file) => {
        const text = readFileSync(`${folder}/${file}`, "utf8");
        const document = JSON.parse(text) as { readonly paths: Record<string, Record<string, unknown>> };
        const methods = ["get", "put", "post", "delete", "options", "head", "patch"];
        const count = Object.values(document.paths).flatMap((item) =>
          methods.filter((method) => method in item),
        ).length;
        const made = openApiTools(text, { baseUrl: base, operations: () => true });
        return { file, count, made: made.tools.length, skipped: made.skipped };
      });
    expect(counts.length).toBeGreaterThan(5);
    // Two have a path that is another one by reference.
    expect(
      counts.filter(
        ({ count, made, file }) => count !== made && !/^(?:circular-paths|server-path-level)\.json$/.test(file),
      ),
    ).toEqual([]);
    expect(counts.flatMap(({ skipped }) => skipped)).toEqual([]);
  });

  test("the Star Trek API answers in one call", async () => {
    const document = JSON.parse(
      readFileSync(programFile("@readme/oas-examples", "3.0/json/star-trek.json"), "utf8"),
    ) as object;
    const { tools, operations } = openApiTools(document, {
      baseUrl: `${base}/api`,
      operations: ["GET /animal/*", "POST /animal/search"],
    });
    const [name, operation] = [...operations].find(([, { method }]) => method === "POST")!;
    expect(operation).toMatchObject({ method: "POST", path: "/animal/search" });
    expect(await use(tools, name, { pageSize: 2, name: "tribble & co", earthAnimal: false })).toMatchObject({
      ok: true,
    });
    expect(seen).toMatchObject([
      {
        method: "POST",
        url: "/api/animal/search?pageSize=2",
        body: "name=tribble+%26+co&earthAnimal=false",
        headers: { "content-type": "application/x-www-form-urlencoded" },
      },
    ]);
  });
});

describe("a run", () => {
  test("looks an operation of a large document up and calls it", async () => {
    answer = json([{ number: 1, title: "A bug" }]);
    const tools = openApiSearch(github(), { baseUrl: base, auth: { bearer: "gh-secret" } });
    const declared = tools.filter(({ undeclared }) => undeclared !== true);
    expect(declared.map(({ name }) => name)).toEqual(["search_tools", "call_tool"]);
    const model = new ScriptedModel(
      call("search_tools", { query: "list issues of a repository" }),
      call("call_tool", {
        name: "issues_list_for_repo",
        input: { owner: "a", repo: "b/../c", state: "open", per_page: 1 },
      }),
      say("One bug."),
    );
    const result = await new Agent({ model, tools }).run("Which issues?");
    expect(result.text).toBe("One bug.");
    expect(seen.map(({ method, url, headers }) => [method, url, headers.authorization])).toEqual([
      ["GET", "/repos/a/b%2F..%2Fc/issues?state=open&per_page=1", "Bearer gh-secret"],
    ]);
    const found = await use(tools, "search_tools", { query: "list issues of a repository", limit: 3 });
    const { output } = found as { output: { tools: { name: string; parameters?: unknown }[] } };
    expect(output.tools).toHaveLength(3);
    expect(output.tools.find(({ name }) => name === "issues_list_for_repo")).toEqual({
      name: "issues_list_for_repo",
      description: expect.stringMatching(/^List repository issues.*\(GET \/repos\/\{owner\}\/\{repo\}\/issues\)/s),
      parameters: expect.objectContaining({ required: ["owner", "repo"] }),
    });
  });

  test("tells the model what is wrong, and asks before what writes", async () => {
    const tools = openApiSearch(github(), { baseUrl: base });
    const model = new ScriptedModel(
      calls(
        { name: "call_tool", args: { name: "repo_gets", input: {} } },
        { name: "call_tool", args: { name: "repos_get", input: { owner: "a" } } },
      ),
      call("call_tool", { name: "repos_delete", input: { owner: "a", repo: "b" } }),
    );
    const result = await new Agent({ model, tools }).run("Delete it.");
    expect(result).toMatchObject({ stopReason: "needs-approval", pending: [{ call: { name: "repos_delete" } }] });
    expect(result.toolCalls.slice(0, 2)).toMatchObject([
      { name: "repo_gets", error: { kind: "not-found", message: expect.stringMatching(/Did you mean "repos_get"/) } },
      { name: "repos_get", error: { kind: "bad-input", message: expect.stringMatching(/repo: required but missing/) } },
    ]);
    expect(seen).toEqual([]);
  });
});

test("thousands of hostile documents become tools or are refused", { timeout: 1_800_000 }, async () => {
  await survivesDocuments(HOSTILE_INPUTS);
});
