import type { Server } from "node:http";
import { Agent, ConfigurationError, type ToolOutcome } from "@pollux/core";
import { call, ScriptedModel } from "@pollux/core/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { openApiSearch, openApiTools, type OpenApiOptions } from "../src/openapi.ts";
import { survivesDocuments } from "./openapi/survives-documents.ts";
import { use } from "./mcp/support.ts";
import { type Answer, json, type Seen, startService } from "./openapi/service.ts";

let seen: Seen[] = [];
let answer: Answer;
let server: Server;
let other: Server;
let base: string;
let elsewhere: string;

beforeAll(async () => {
  const keep = (request: Seen): void => void seen.push(request);
  [server, base] = await startService(keep, (request, response) => answer(request, response));
  [other, elsewhere] = await startService(keep, (request, response) => answer(request, response));
});

afterAll(() => {
  for (const started of [server, other]) {
    started.closeAllConnections();
    started.close();
  }
});

beforeEach(() => {
  seen = [];
  answer = json({ ok: true });
});

const RESPONSES = { "200": { description: "OK" } };

/** A document of one operation. */
function one(method: string, path: string, operation: object, more: object = {}): object {
  return {
    openapi: "3.1.0",
    info: { title: "t", version: "1" },
    servers: [{ url: `${base}/v1` }],
    paths: { [path]: { [method]: { operationId: "it", responses: RESPONSES, ...operation } } },
    ...more,
  };
}

async function callIt(
  document: object,
  args: Record<string, unknown>,
  options: OpenApiOptions = {},
): Promise<ToolOutcome> {
  return await use(openApiTools(document, options).tools, "it", args);
}

/** The one request that a call of a document's operation makes. */
async function sent(document: object, args: Record<string, unknown>, options: OpenApiOptions = {}): Promise<Seen> {
  expect(await callIt(document, args, options)).toEqual({ ok: true, output: { status: 200, body: { ok: true } } });
  expect(seen).toHaveLength(1);
  return seen[0]!;
}

function parameter(place: string, name: string, more: object = {}): object {
  return { in: place, name, required: true, schema: {}, ...more };
}

function schemaOf(document: object, options: OpenApiOptions = {}): unknown {
  return openApiTools(document, options).tools[0]?.declaration.parametersJsonSchema;
}

describe("a document of many operations", () => {
  /** Three hundred kinds of things, each with a list of its items. */
  const many = (): object => ({
    openapi: "3.1.0",
    servers: [{ url: base }],
    paths: Object.fromEntries(
      Array.from({ length: 300 }, (_, n) => [
        `/thing${n}/{owner}/items`,
        {
          get: {
            operationId: `things/list-items-${n}`,
            summary: `List items of kind ${n}`,
            parameters: [parameter("path", "owner", { schema: { type: "string" } })],
          },
          delete: { operationId: `things/delete-items-${n}`, summary: `Delete items of kind ${n}` },
        },
      ]),
    ),
  });

  test("becomes tools as far as they are chosen; without a choice it is an error that says how to choose", () => {
    const chosen = openApiTools(many(), { operations: ["things/list-items-7", "DELETE /thing8/{owner}/items"] });
    expect([...chosen.operations.keys()]).toEqual(["things_list_items_7", "things_delete_items_8"]);
    expect(() => openApiTools(many())).toThrow(/has 600 operations, too many to offer at once\. Select some with/);
  });

  test("can be looked up in a run", async () => {
    answer = json([{ number: 1, title: "An item" }]);
    const tools = openApiSearch(many(), { auth: { bearer: "a-secret" } });
    const model = new ScriptedModel(
      call("search_tools", { query: "list items of kind 42" }),
      call("call_tool", { name: "things_list_items_42", input: { owner: "a/../b" } }),
      call("call_tool", { name: "things_list_items_42", input: {} }),
      call("call_tool", { name: "things_delete_items_42", input: { owner: "a" } }),
    );
    const agent = new Agent({ model, tools, afterUntrusted: "allow" });
    const result = await agent.run("Which items, and delete them?");
    expect(result.stopReason).toBe("needs-approval");
    expect(JSON.stringify(model.requests[1]?.contents.at(-1))).toContain("things_list_items_42");
    expect(JSON.stringify(model.requests[3]?.contents.at(-1))).toContain("owner: required but missing");
    expect(seen.map(({ method, url, headers }) => [method, url, headers.authorization])).toEqual([
      ["GET", "/thing42/a%2F..%2Fb/items", "Bearer a-secret"],
    ]);
  });
});

describe("the document", () => {
  test.each([
    ["openapi: 3.0.0\ninfo:\n  title: x", /is YAML, which is not supported.*package "yaml"/],
    ["<html>", /is not JSON.*Pass the object or its JSON text/],
    [{}, /neither "openapi" nor "swagger"/],
    [{ openapi: "4.0.0" }, /OpenAPI 4.0.0 is not supported/],
    [7, /must be an object or its JSON text/],
    [{ openapi: "3.0.0", paths: {} }, /has no operations/],
    [{ openapi: "3.0.0", paths: { "/a": { get: {} } } }, /names no server\. Pass one/],
    [{ openapi: "3.0.0", servers: [{ url: "/v1" }], paths: { "/a": { get: {} } } }, /"\/v1", which is not a full URL/],
  ])("%j is refused with what to do", (document, message) => {
    expect(() => openApiTools(document as object)).toThrow(ConfigurationError);
    expect(() => openApiTools(document as object)).toThrow(message);
  });

  test("choices that fit nothing are refused, with what is near", () => {
    const document = one("get", "/pets", { operationId: "listPets" });
    expect(() => openApiTools(document, { operations: ["list-pets"] })).toThrow(
      'No operation of this OpenAPI document matches "list-pets" of `operations`; similar ones are "listPets".',
    );
    expect(() => openApiTools(document, { operations: () => false })).toThrow(/selects none of the 1 operations/);
    expect(() => openApiTools(document, { baseUrl: "ftp://x" })).toThrow(/baseUrl must be an http or https URL/);
  });

  test("names become legal and unique, by the operationId or by method and path", () => {
    const { tools, operations } = openApiTools(
      {
        openapi: "3.0.0",
        servers: [{ url: base }],
        paths: {
          "/a": { get: { operationId: "get-it" }, post: { operationId: "get.it" } },
          "/b/{id}": { get: {}, delete: { operationId: "get-it" } },
        },
      },
      { prefix: "my" },
    );
    expect([...operations].map(([name, { id }]) => [name, id])).toEqual([
      [expect.stringMatching(/^my_get_it_[0-9a-f]{8}$/), "get-it"],
      [expect.stringMatching(/^my_get_it_[0-9a-f]{8}$/), "get.it"],
      ["my_get_b_id", "GET /b/{id}"],
      ["my_delete_b_id", "DELETE /b/{id}"],
    ]);
    expect(new Set(tools.map(({ name }) => name)).size).toBe(4);
  });

  test("globs choose, and `!` leaves out", () => {
    const paths = Object.fromEntries(
      ["repos/get", "repos/delete", "users/get"].map((id) => [`/${id}`, { get: { operationId: id } }]),
    );
    const document = { openapi: "3.0.0", servers: [{ url: base }], paths };
    const chosen = (...operations: string[]): string[] => [...openApiTools(document, { operations }).operations.keys()];
    expect(chosen("repos/*")).toEqual(["repos_get", "repos_delete"]);
    expect(chosen("repos/*", "!*/delete")).toEqual(["repos_get"]);
    expect(chosen("!repos/*")).toEqual(["users_get"]);
    expect(chosen("GET /users/**", "repos/get")).toEqual(["repos_get", "users_get"]);
  });

  test("methods decide about effects and approval, unless the options do", async () => {
    const methods = ["get", "head", "put", "delete", "post", "patch"];
    const document = {
      openapi: "3.0.0",
      servers: [{ url: base }],
      paths: { "/a": Object.fromEntries(methods.map((method) => [method, { operationId: method }])) },
    };
    const rules = async (options: OpenApiOptions): Promise<unknown> =>
      Object.fromEntries(
        await Promise.all(
          openApiTools(document, options).tools.map(async (tool) => [
            tool.name,
            [
              tool.effects,
              (await tool.needsApproval?.(
                {},
                { name: tool.name, args: {} },
                { signal: new AbortController().signal, context: undefined },
              )) ?? false,
            ],
          ]),
        ),
      );
    expect(await rules({})).toEqual({
      get: ["none", false],
      head: ["none", false],
      put: ["idempotent", true],
      delete: ["idempotent", true],
      post: ["once", true],
      patch: ["once", true],
    });
    expect(await rules({ needsApproval: ({ method }) => method === "DELETE", operations: ["get", "delete"] })).toEqual({
      get: ["none", false],
      delete: ["idempotent", true],
    });
    expect(await rules({ needsApproval: false, operations: ["post"] })).toEqual({ post: ["once", false] });
  });
});

describe("the input", () => {
  test("merges all locations, and marks names that occur twice", () => {
    const document = one("put", "/pets/{id}", {
      parameters: [
        parameter("path", "id", { schema: { type: "string" } }),
        parameter("query", "id", { required: false, schema: { type: "integer", default: 3 } }),
        parameter("header", "X-Trace[a]", { required: false, schema: { type: "string", enum: ["on", "off"] } }),
        parameter("header", "Authorization"),
        parameter("cookie", "session", { required: false, description: "Who.", schema: { type: "string" } }),
      ],
      requestBody: {
        required: true,
        content: {
          "application/json": {
            schema: {
              type: "object",
              required: ["id", "made", "gone"],
              properties: {
                id: { type: "string", format: "uuid", nullable: true },
                made: { type: "string", readOnly: true },
                age: { type: "integer", minimum: 0, exclusiveMinimum: true },
              },
            },
          },
        },
      },
    });
    expect(schemaOf(document)).toEqual({
      type: "object",
      properties: {
        id: { type: "string" },
        query_id: { type: "integer", description: expect.stringMatching(/\(query: `id`\)/) },
        X_Trace_a: { type: "string", enum: ["on", "off"], description: "(header: `X-Trace[a]`)" },
        session: { type: "string", description: "Who." },
        body_id: { type: ["string", "null"], description: expect.stringMatching(/\(body: `id`\)/) },
        age: { type: "integer", minimum: 1 },
      },
      required: ["id", "body_id"],
    });
  });

  test("follows references, keeps circles, merges allOf and keeps alternatives", () => {
    const document = one(
      "post",
      "/a",
      {
        requestBody: {
          required: true,
          content: { "application/json": { schema: { $ref: "#/components/schemas/Node" } } },
        },
      },
      {
        components: {
          schemas: {
            Named: { type: "object", properties: { name: { type: "string" } } },
            Node: {
              allOf: [
                { $ref: "#/components/schemas/Named" },
                { required: ["name", "never"] },
                {
                  type: "object",
                  properties: {
                    next: { $ref: "#/components/schemas/Node" },
                    kind: { oneOf: [{ type: "string" }, { type: "integer" }] },
                    far: { $ref: "other.yaml#/X" },
                  },
                },
              ],
            },
          },
        },
      },
    );
    const node = {
      type: "object",
      properties: {
        name: { type: "string" },
        next: { $ref: "#/$defs/Node" },
        kind: { anyOf: [{ type: "string" }, { type: "integer" }] },
        far: { description: "(defined elsewhere, as other.yaml#/X)" },
      },
      required: ["name"],
    };
    expect(schemaOf(document)).toEqual({ ...node, $defs: { Node: node } });
  });

  test("a circle that the service refuses is cut, and says so", () => {
    const document = one(
      "post",
      "/a",
      { requestBody: { content: { "application/json": { schema: { $ref: "#/components/schemas/Node" } } } } },
      {
        components: {
          schemas: {
            Node: { type: "object", required: ["next"], properties: { next: { $ref: "#/components/schemas/Node" } } },
          },
        },
      },
    );
    expect(schemaOf(document)).toEqual({
      type: "object",
      properties: {
        body: {
          type: "object",
          properties: { next: { type: "object", description: "(its structure is not shown here)" } },
          required: ["next"],
        },
      },
    });
  });

  test("what cannot be declared is left out and listed", () => {
    const made = openApiTools(
      one("get", "/a", { parameters: [parameter("query", "q", { schema: { type: "string", anyOf: [], enum: [] } })] }),
    );
    expect(made.tools.length + made.skipped.length).toBe(1);
  });

  test("parameters that the credentials fill are not shown", () => {
    const document = one("get", "/a", {
      parameters: [
        parameter("query", "api_key"),
        parameter("header", "X-Key"),
        parameter("query", "q", { schema: { type: "string" } }),
      ],
    });
    expect(schemaOf(document, { auth: { query: { api_key: "secret-1" }, header: { "x-key": "secret-2" } } })).toEqual({
      type: "object",
      properties: { q: { type: "string" } },
      required: ["q"],
    });
  });
});

describe("the request", () => {
  const array = ["a b", "c,d"];
  const object = { x: 1, y: "&" };
  test.each([
    ["form", true, array, "p=a%20b&p=c%2Cd"],
    ["form", false, array, "p=a%20b,c%2Cd"],
    ["form", true, object, "x=1&y=%26"],
    ["form", false, object, "p=x,1,y,%26"],
    ["spaceDelimited", false, array, "p=a%20b%20c%2Cd"],
    ["pipeDelimited", false, array, "p=a%20b%7Cc%2Cd"],
    ["deepObject", true, object, "p%5Bx%5D=1&p%5By%5D=%26"],
    ["deepObject", true, { a: { b: [1, 2] } }, "p%5Ba%5D%5Bb%5D=1&p%5Ba%5D%5Bb%5D=2"],
    ["form", true, "?&=#/", "p=%3F%26%3D%23%2F"],
    ["form", true, false, "p=false"],
    ["form", true, [], ""],
  ])("writes a query as %s, explode %s: %j", async (style, explode, value, query) => {
    const { url } = await sent(one("get", "/a", { parameters: [parameter("query", "p", { style, explode })] }), {
      p: value,
    });
    expect(url).toBe(`/v1/a${query === "" ? "" : `?${query}`}`);
  });

  test.each([
    ["simple", false, array, "a%20b,c%2Cd"],
    ["simple", true, object, "x=1,y=%26"],
    ["label", true, ["a", "b"], ".a.b"],
    ["label", false, object, ".x,1,y,%26"],
    ["matrix", false, ["a", "b"], ";p=a,b"],
    ["matrix", true, ["a", "b"], ";p=a;p=b"],
    ["matrix", true, object, ";x=1;y=%26"],
    ["simple", false, "../../admin", "..%2F..%2Fadmin"],
    ["simple", false, "a?b#c", "a%3Fb%23c"],
    ["simple", false, "%2e%2e", "%252e%252e"],
    ["simple", false, "..\\x", "..%5Cx"],
  ])("writes a path as %s, explode %s: %j", async (style, explode, value, text) => {
    const { url } = await sent(one("get", "/a/{p}/z", { parameters: [parameter("path", "p", { style, explode })] }), {
      p: value,
    });
    expect(url).toBe(`/v1/a/${text}/z`);
  });

  test.each([["."], [".."], [""]])("refuses %j in a path, and sends nothing", async (value) => {
    const outcome = await callIt(one("get", "/a/{p}/z", { parameters: [parameter("path", "p")] }), { p: value });
    expect(outcome).toMatchObject({ ok: false, kind: "bad-input" });
    const both = await callIt(one("get", "/a/{p}{q}", {}), { p: ".", q: "." });
    expect(both).toEqual({
      ok: false,
      kind: "bad-input",
      message: 'the path would contain the segment "..", which leads elsewhere; use another value',
    });
    expect(seen).toEqual([]);
  });

  test("a parameter of several segments keeps its slashes and cannot climb", async () => {
    const document = one("get", "/a/{p}", { parameters: [parameter("path", "p", { "x-multi-segment": true })] });
    expect(await sent(document, { p: "docs/a b.md" })).toMatchObject({ url: "/v1/a/docs/a%20b.md" });
    expect(await callIt(document, { p: "docs/../../x" })).toMatchObject({ ok: false, kind: "bad-input" });
  });

  test("headers, cookies and JSON parameters go where they belong", async () => {
    const document = one("get", "/a", {
      parameters: [
        parameter("header", "X-List", { schema: { type: "array" } }),
        parameter("cookie", "theme"),
        parameter("query", "filter", {
          schema: undefined,
          content: { "application/json": { schema: { type: "object" } } },
        }),
      ],
    });
    const { url, headers } = await sent(document, { "X-List": [1, 2], theme: "a;b", filter: { a: [1] } });
    expect({ url, list: headers["x-list"], cookie: headers.cookie, accept: headers.accept }).toEqual({
      url: "/v1/a?filter=%7B%22a%22%3A%5B1%5D%7D",
      list: "1,2",
      cookie: "theme=a%3Bb",
      accept: "application/json, */*;q=0.8",
    });
    expect(await callIt(document, { "X-List": ["a\r\nx-evil: 1"], theme: "", filter: {} })).toEqual({
      ok: false,
      kind: "bad-input",
      message: "X-List: is sent as a header, which allows only one line of Latin characters",
    });
  });

  test.each([
    ["application/json", '{"a":"x y","b":[1,2],"c":{"d":true}}', "application/json"],
    ["application/vnd.x+json", '{"a":"x y","b":[1,2],"c":{"d":true}}', "application/vnd.x+json"],
    ["application/x-www-form-urlencoded", "a=x+y&b=1&b=2&c%5Bd%5D=true", "application/x-www-form-urlencoded"],
  ])("a body of %s is written from its members", async (type, body, contentType) => {
    const document = one("post", "/a/{a}", {
      requestBody: {
        required: true,
        content: {
          "application/xml": {},
          [type]: {
            schema: { type: "object", properties: { a: {}, b: {}, c: { type: "object" } } },
            encoding: { c: { style: "deepObject", explode: true } },
          },
        },
      },
    });
    const request = await sent(
      document,
      { a: "1", body_a: "x y", b: [1, 2], c: { d: true } },
      { needsApproval: false },
    );
    expect([request.url, request.body, request.headers["content-type"]]).toEqual(["/v1/a/1", body, contentType]);
  });

  test("multipart bodies carry fields and text files", async () => {
    const document = one("post", "/a", {
      requestBody: {
        content: {
          "multipart/form-data": {
            schema: {
              type: "object",
              properties: { note: { type: "string" }, file: { type: "string", format: "binary" } },
            },
          },
        },
      },
    });
    const { body, headers } = await sent(document, { note: "hi", file: "text of it" });
    const boundary = /^multipart\/form-data; boundary=(.+)$/.exec(headers["content-type"] ?? "")?.[1] ?? "";
    expect(body.replaceAll(boundary, "B").replaceAll("\r\n", "\n")).toBe(
      '--B\nContent-Disposition: form-data; name="note"\n\nhi\n' +
        '--B\nContent-Disposition: form-data; name="file"; filename="file.txt"\nContent-Type: text/plain\n\ntext of it\n--B--\n',
    );
  });

  test("text and lists are bodies of their own, and none is sent that was not given", async () => {
    const text = one("post", "/a", { requestBody: { content: { "text/plain": { schema: { type: "string" } } } } });
    expect(await sent(text, { body: "as it is" })).toMatchObject({
      body: "as it is",
      headers: { "content-type": "text/plain" },
    });
    seen = [];
    const list = one("post", "/a", {
      requestBody: { content: { "application/json": { schema: { type: "array", items: {} } } } },
    });
    expect(await sent(list, { body: [1] })).toMatchObject({ body: "[1]" });
    seen = [];
    const { body, headers } = await sent(list, {});
    expect([body, headers["content-type"]]).toEqual(["", undefined]);
  });

  test("Swagger 2.0: host, base path, collections, forms and bodies", async () => {
    const swagger = (method: string, operation: object): object => ({
      swagger: "2.0",
      host: new URL(base).host,
      basePath: "/old",
      schemes: ["http"],
      paths: { "/a": { [method]: { operationId: "it", ...operation } } },
      definitions: { Pet: { type: "object", required: ["name"], properties: { name: { type: "string" } } } },
    });
    const query = swagger("get", {
      parameters: [
        { in: "query", name: "ids", type: "array", items: { type: "integer" }, collectionFormat: "multi" },
        { in: "query", name: "tags", type: "array", items: { type: "string" } },
        { in: "query", name: "pipes", type: "array", items: { type: "string" }, collectionFormat: "pipes" },
      ],
    });
    expect(await sent(query, { ids: [1, 2], tags: ["a", "b"], pipes: ["c", "d"] })).toMatchObject({
      url: "/old/a?ids=1&ids=2&tags=a,b&pipes=c%7Cd",
    });
    seen = [];
    const form = swagger("post", { parameters: [{ in: "formData", name: "n", type: "string", required: true }] });
    expect(await sent(form, { n: "x y" })).toMatchObject({ body: "n=x+y" });
    seen = [];
    const body = swagger("post", {
      parameters: [{ in: "body", name: "pet", required: true, schema: { $ref: "#/definitions/Pet" } }],
    });
    expect(schemaOf(body)).toEqual({ type: "object", properties: { name: { type: "string" } }, required: ["name"] });
    expect(await sent(body, { name: "Rex" })).toMatchObject({
      body: '{"name":"Rex"}',
      headers: { "content-type": "application/json" },
    });
  });
});

describe("credentials", () => {
  const basic = `Basic ${btoa("me:päss".replace("ä", "\u00c3\u00a4"))}`;
  test.each([
    [{ bearer: "token-1" }, "/v1/a?q=1", "Bearer token-1"],
    [{ basic: { username: "me", password: "päss" } }, "/v1/a?q=1", basic],
    [{ query: { key: "a b" }, header: { Authorization: "Custom x" } }, "/v1/a?q=1&key=a%20b", "Custom x"],
    [async () => ({ bearer: "fresh-1" }), "/v1/a?q=1", "Bearer fresh-1"],
  ])("%j is sent", async (auth, url, authorization) => {
    const request = await sent(one("get", "/a", { parameters: [parameter("query", "q")] }), { q: 1 }, { auth });
    expect([request.url, request.headers.authorization]).toEqual([url, authorization]);
  });

  test("stay with the host of the document's first server", async () => {
    const document = one("get", "/a", { servers: [{ url: elsewhere }] });
    expect(await callIt(document, {}, { auth: { bearer: "secret-token" } })).toMatchObject({ ok: true });
    expect(seen.map(({ url, headers }) => [url, headers.host, headers.authorization])).toEqual([
      ["/a", new URL(elsewhere).host, undefined],
    ]);
    seen = [];
    expect(await callIt(document, {}, { auth: { bearer: "secret-token" }, baseUrl: `${base}/v2/` })).toMatchObject({
      ok: true,
    });
    expect(seen.map(({ url, headers }) => [url, headers.host, headers.authorization])).toEqual([
      ["/v2/a", new URL(base).host, "Bearer secret-token"],
    ]);
  });

  test("redirects stay within the host; others are refused", async () => {
    const auth = { bearer: "secret-token", query: { key: "secret-key" } };
    answer = (request, response) => {
      if (request.url?.startsWith("/v1/a") === true) response.writeHead(302, { location: "/v1/b?page=2" }).end();
      else json({ ok: true })(request, response);
    };
    expect(await callIt(one("get", "/a", {}), {}, { auth })).toMatchObject({ ok: true });
    expect(seen.map(({ url, headers }) => [url, headers.authorization])).toEqual([
      ["/v1/a?key=secret-key", "Bearer secret-token"],
      ["/v1/b?page=2&key=secret-key", "Bearer secret-token"],
    ]);
    seen = [];
    answer = (_request, response) => void response.writeHead(307, { location: `${elsewhere}/steal` }).end();
    expect(await callIt(one("get", "/a", {}), {}, { auth })).toEqual({
      ok: false,
      kind: "failed",
      message: `GET /a redirects to ${elsewhere}, another host; this is not followed, and retrying will not help`,
    });
    expect(seen).toHaveLength(1);
    seen = [];
    answer = (_request, response) => void response.writeHead(302, { location: "/v1/a" }).end();
    expect(await callIt(one("get", "/a", {}), {})).toMatchObject({ ok: false, message: /more than 5 times/ });
    expect(seen).toHaveLength(6);
  });

  test("are not in what the model reads, even where the service repeats them", async () => {
    answer = (request, response) =>
      json({ error: `bad ${request.headers.authorization} ${request.url}` }, 400)(request, response);
    const options = { auth: { bearer: "secret-token", query: { key: "secret key" } } };
    expect(await callIt(one("get", "/a", {}), {}, options)).toEqual({
      ok: false,
      kind: "failed",
      message:
        'GET /a answered 400 Bad Request: {"error":"bad Bearer [redacted] /v1/a?key=[redacted]"}. Correct the arguments.',
    });
    const refused = { ...options, baseUrl: "http://127.0.0.1:1" };
    expect(await callIt(one("get", "/a", {}), {}, refused)).toEqual({
      ok: false,
      kind: "failed",
      message: expect.not.stringMatching(/secret/),
    });
  });
});

describe("a secret that the service repeats", () => {
  const secret = 'sk/live=Ab+C12&"x\\é😀%2Fz';
  const units = (text: string): string =>
    Array.from(text, (sign) => (/[a-z]/i.test(sign) ? sign : escaped(sign))).join("");
  const escaped = (sign: string): string =>
    Array.from({ length: sign.length }, (_, at) => `\\u${sign.charCodeAt(at).toString(16).padStart(4, "0")}`).join("");
  const bytes = (before: string, encoding: BufferEncoding): string =>
    Buffer.from(`${before}${secret}yz`).toString(encoding);

  test.each<[string, string]>([
    ["as JSON", JSON.stringify(secret)],
    ["as PHP writes JSON", JSON.stringify(secret).replaceAll("/", "\\/")],
    ["as Gson writes JSON", JSON.stringify(secret).replaceAll("=", "\\u003d").replaceAll("&", "\\u0026")],
    ["with every sign escaped", `"${units(secret)}"`],
    ["in JSON inside JSON inside JSON", JSON.stringify(JSON.stringify(JSON.stringify({ at: secret })))],
    ["in a URL", JSON.stringify(`https://a.example/?k=${encodeURIComponent(secret)}`)],
    ["in a URL inside a URL", JSON.stringify(`?u=${encodeURIComponent(`?k=${encodeURIComponent(secret)}`)}`)],
    ["in HTML", JSON.stringify(secret.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("=", "&#x3d;"))],
    ["in hexadecimal", JSON.stringify(bytes("", "hex"))],
    ...["", "x", "xy"].map(
      (before) => [`in base64, after ${before.length}`, JSON.stringify(bytes(before, "base64"))] as [string, string],
    ),
    ["in base64 for URLs", JSON.stringify(bytes("x", "base64url"))],
  ])("is not in what the model reads: %s", async (_name, spelling) => {
    const options = { auth: { query: { key: secret } } };
    for (const status of [200, 400])
      for (const [type, body] of [
        ["application/json", `{"a": ${spelling}, ${spelling}: [1, ${spelling}]}`],
        ["text/plain", `before ${spelling} after`],
      ] as const) {
        answer = (_request, response) => void response.writeHead(status, { "content-type": type }).end(body);
        const read = JSON.stringify(await callIt(one("get", "/a", {}), {}, options));
        expect(read).toContain("[redacted]");
        for (const piece of ["live", "2Fz", bytes("", "hex").slice(8, 24), bytes("", "base64").slice(4, 16)])
          expect(read).not.toContain(piece);
      }
  });

  test("is not in it where a text is cut in the middle of it, nor as a number, nor as a part of a header", async () => {
    const options = { auth: { query: { pin: "4711471147" }, header: { cookie: "session=abcdefghijkl; a=b" } } };
    answer = json({ pin: 4_711_471_147, own: "abcdefghijkl" });
    expect(await callIt(one("get", "/a", {}), {}, options)).toMatchObject({
      output: { body: { pin: "[redacted]", own: "[redacted]" } },
    });
    answer = json({ long: `${"x".repeat(3_990)}4711471147${"x".repeat(100_000)}` });
    const cut = JSON.stringify(await callIt(one("get", "/a", {}), {}, options));
    expect(cut).toMatch(/x\[redacted\]… \[\d+ more characters\]/);
    const link = `<https://a.example/${"x".repeat(570)}%34711471147>`;
    answer = json({}, 200, { link, location: "/a?pin=%34711471147" });
    expect(await callIt(one("get", "/a", {}), {}, options)).toMatchObject({
      output: { link: expect.stringMatching(/x\[redacted\]>$/), location: "/a?pin=[redacted]" },
    });
  });

  test("deeply nested JSON is read as text", async () => {
    const body = `${"[".repeat(20_000)}"a-secret-token"${"]".repeat(20_000)}`;
    answer = (_request, response) => void response.writeHead(200, { "content-type": "application/json" }).end(body);
    expect(await callIt(one("get", "/a", {}), {}, { auth: { bearer: "a-secret-token" } })).toMatchObject({
      ok: true,
      output: { body: expect.stringMatching(/^\[+"?.*more characters/) },
    });
  });
});

describe("the answer", () => {
  test.each<[string, Answer, unknown]>([
    [
      "JSON",
      json({ a: [1] }, 201, { location: "/a/1", link: '</a?page=2>; rel="next"' }),
      { status: 201, link: '</a?page=2>; rel="next"', location: "/a/1", body: { a: [1] } },
    ],
    [
      "text",
      (_request, response) => void response.writeHead(200, { "content-type": "text/csv" }).end("a,b"),
      { status: 200, body: "a,b" },
    ],
    [
      "nothing",
      (_request, response) => void response.writeHead(204).end(),
      { status: 204, note: "the response has no body" },
    ],
    [
      "binary",
      (_request, response) => void response.writeHead(200, { "content-type": "image/png" }).end(Buffer.alloc(10)),
      { status: 200, note: "the response is 10 bytes of image/png, which are not shown" },
    ],
    [
      "text that is too long",
      (_request, response) => void response.writeHead(200, { "content-type": "text/plain" }).end("x".repeat(50_000)),
      {
        status: 200,
        body: expect.stringMatching(/^x{25000,}… \[\d+ more characters\]$/),
        note: expect.stringMatching(/too long/),
      },
    ],
  ])("%s", async (_name, given, output) => {
    answer = given;
    expect(await callIt(one("get", "/a", {}), {})).toEqual({ ok: true, output });
  });

  test("a long list is shortened to whole items that fit", async () => {
    answer = json(Array.from({ length: 1_000 }, (_, id) => ({ id, text: "t".repeat(100) })));
    const outcome = await callIt(one("get", "/a", {}), {}, { maxResultBytes: 10_000 });
    expect(outcome).toMatchObject({ ok: true });
    const output = outcome.ok ? (outcome.output as { body: unknown[]; note: string }) : { body: [], note: "" };
    expect(output.note).toMatch(/too long/);
    expect(output.body.at(0)).toEqual({ id: 0, text: "t".repeat(100) });
    expect(output.body.at(-1)).toBe(`[${1_001 - output.body.length} more]`);
    expect(JSON.stringify(output).length).toBeLessThan(10_000);
    expect(output.body.length).toBeGreaterThan(20);
  });

  test.each<[number, Record<string, string>, unknown, RegExp]>([
    [
      404,
      {},
      { message: "Not Found" },
      /^GET \/a answered 404 Not Found: \{"message":"Not Found"\}\. Check the identifiers\.$/,
    ],
    [429, { "retry-after": "7" }, {}, /429.*Too many requests: try again in 7 seconds\.$/],
    [503, {}, {}, /not available: wait before you try again\.$/],
    [401, {}, {}, /does not accept the credentials; calling again does not help\.$/],
    [500, {}, { long: "x".repeat(5_000) }, /^.{500,1000}$/],
  ])("%i is a failure with advice", async (status, headers, body, message) => {
    answer = json(body, status, headers);
    expect(await callIt(one("get", "/a", {}), {})).toEqual({
      ok: false,
      kind: "failed",
      message: expect.stringMatching(message),
    });
  });

  test("a limit that ends at a given time is reported in seconds from now", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: 1_000_000 });
    try {
      answer = json({}, 403, { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1060" });
      expect(await callIt(one("get", "/a", {}), {})).toMatchObject({
        ok: false,
        message: expect.stringMatching(/try again in 60 seconds\.$/),
      });
    } finally {
      vi.useRealTimers();
    }
  });

  test.each(["timeout", "cancelled"])("a request without a response ends with the call: %s", async (kind) => {
    const controller = new AbortController();
    const { tools } = openApiTools(one("get", "/a", {}), { timeoutMs: 3_000 });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const closed = new Promise<void>((resolve) => {
        answer = (request) => {
          request.socket.once("close", () => resolve());
          if (kind === "cancelled") controller.abort();
          else vi.advanceTimersByTime(3_000);
        };
      });
      expect(await use(tools, "it", {}, { signal: controller.signal })).toMatchObject({ ok: false, kind });
      await closed;
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("a run", () => {
  test("calls an operation, and asks before one that writes", async () => {
    answer = json({ id: 7, name: "Rex" });
    const document = {
      openapi: "3.1.0",
      servers: [{ url: base }],
      paths: {
        "/pets/{id}": {
          get: {
            operationId: "getPet",
            summary: "A pet",
            parameters: [parameter("path", "id", { schema: { type: "integer" } })],
          },
          delete: { operationId: "deletePet", summary: "Removes a pet" },
        },
      },
    };
    const model = new ScriptedModel(call("getPet", { id: 7 }), call("deletePet", { id: "7" }));
    const result = await new Agent({ model, tools: openApiTools(document).tools }).run("Remove Rex.");
    expect({ stopReason: result.stopReason, seen: seen.map(({ method, url }) => `${method} ${url}`) }).toEqual({
      stopReason: "needs-approval",
      seen: ["GET /pets/7"],
    });
  });
});

test("arguments must match the document, unless `validate` is false", async () => {
  const document = {
    openapi: "3.1.0",
    servers: [{ url: "https://api.example.com" }],
    paths: {
      "/pets": {
        get: { operationId: "list", parameters: [parameter("query", "limit", { schema: { type: "integer" } })] },
        head: { operationId: "probe", parameters: [parameter("query", "limit", { schema: { type: "integer" } })] },
      },
    },
  };
  const accepted = async (validate?: OpenApiOptions["validate"]): Promise<readonly boolean[]> =>
    await Promise.all(
      openApiTools(document, { validate }).tools.map(async (tool) => {
        const parsed = Promise.resolve(tool.parse({ limit: "many" }));
        return await parsed.then(
          () => true,
          () => false,
        );
      }),
    );
  expect(await accepted()).toEqual([false, false]);
  expect(await accepted(false)).toEqual([true, true]);
  expect(await accepted(({ id }) => id !== "list")).toEqual([true, false]);
});

test("tags are texts, whatever a document has in their place", () => {
  const tags: unknown[] = [];
  const document = one("get", "/a", { tags: [{ toString: false }, "a", 7, ["b"], null] });
  openApiTools(document, { operations: (operation) => (tags.push(...operation.tags), true) });
  expect(tags).toEqual(["a"]);
});

test("hostile documents become tools or are refused", { timeout: 120_000 }, async () => await survivesDocuments(30));

describe("a document that stands for an endless schema", () => {
  const itself: Record<string, unknown> = { type: "object" };
  itself["properties"] = { itself };
  const wide = Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [`p${at}`, { type: "string" }]));
  const layer = (at: number): object => ({
    type: "object",
    properties: Object.fromEntries(
      Array.from({ length: 40 }, (_, step) => [`p${step}`, { $ref: `#/components/schemas/L${at + 1}` }]),
    ),
    description: "d".repeat(2_000),
  });
  const layers = Object.fromEntries(Array.from({ length: 8 }, (_, at) => [`L${at}`, layer(at)]));
  const parameters = Array.from({ length: 3_000 }, (_, at) => ({ in: "query", name: `é${at}`, schema: {} }));

  test.each<[string, object, number, RegExp]>([
    ["that contains itself", { schema: itself }, 1, /^$/],
    ["that refers to others, which refer to others", { schema: { $ref: "#/components/schemas/L0" } }, 1, /^$/],
    ["with too many members", { schema: { type: "object", properties: wide } }, 0, /because it has too many parts/],
    ["with too many parameters", { parameters }, 0, /because it has too many parameters/],
  ])("%s", (_name, { schema, parameters: given = [] }: { schema?: unknown; parameters?: unknown }, count, reason) => {
    const post = { operationId: "it", parameters: given, requestBody: { content: { "application/json": { schema } } } };
    const { tools, skipped } = openApiTools({
      openapi: "3.1.0",
      servers: [{ url: base }],
      paths: { "/a": { post } },
      components: { schemas: layers },
    });
    expect(tools).toHaveLength(count);
    expect(skipped[0]?.reason ?? "").toMatch(reason);
  });
});
