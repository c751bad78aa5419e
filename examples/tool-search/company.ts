// A company's API of five hundred operations, as its OpenAPI document describes it, and a server that answers it.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Brain, call, say } from "@pollux/emulator";
import { openApiTools } from "@pollux/tools/openapi";
import { toolSearch } from "@pollux/tools/tool-search";

const THINGS =
  "account asset audit bill bonus branch budget campaign carrier claim client complaint contract course credit customer delivery department discount dispute employee expense fleet forecast goal grant incident invoice item lead lease license loan meeting order parcel payment permit policy price project quote refund rental shipment supplier ticket tour vendor visit".split(
    " ",
  );
const ID = { name: "id", in: "path", required: true, schema: { type: "string" } };
const FILTERS = ["country", "status"].map((name) => ({ name, in: "query", schema: { type: "string" } }));

/** Method, rest of the path and parameters of each operation of a thing. */
const OPERATIONS: Readonly<Record<string, readonly [method: string, path: string, parameters: readonly object[]]>> = {
  list: ["get", "", FILTERS],
  count: ["get", "/count", FILTERS],
  create: ["post", "", []],
  get: ["get", "/{id}", [ID]],
  update: ["put", "/{id}", [ID]],
  delete: ["delete", "/{id}", [ID]],
  history: ["get", "/{id}/history", [ID]],
  approve: ["post", "/{id}/approve", [ID]],
  cancel: ["post", "/{id}/cancel", [ID]],
  remind: ["post", "/{id}/remind", [ID]],
};

function describeCompany(url: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const thing of THINGS)
    for (const [verb, [method, rest, parameters]] of Object.entries(OPERATIONS)) {
      const path = (paths[`/${thing}s${rest}`] ??= {});
      path[method] = { operationId: `${thing}s_${verb}`, summary: `${verb} ${thing}s.`, parameters, responses: {} };
    }
  return { openapi: "3.1.0", info: { title: "Company", version: "1" }, servers: [{ url }], paths };
}

/** All operations: two declarations, and the rest on demand. Calls that write require approval. */
export function companyTools(url: string) {
  const { tools } = openApiTools(describeCompany(url), { operations: () => true });
  return toolSearch(tools, { budgetTokens: 0, about: "everything that the company keeps, from accounts to visits" });
}

/** Answers any operation. */
export async function serveCompany(): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((request, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(request.url?.includes("/count") === true ? { count: 42 } : { done: request.url }));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  // It listens on a port.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** What the emulator says in place of a model, so that all of this runs without a key. It proves nothing about a model's choices. */
export function companyBrain(): Brain {
  return {
    answer: ({ prompt, responses }) => {
      const [last] = responses.slice(-1);
      const output = last?.response?.["output"];
      if (last?.name === "call_tool") return say(`Done: ${JSON.stringify(output)}`);
      if (/hello/i.test(prompt)) return say("Hello! What can I do?");
      if (last?.name !== "search_tools") return call("search_tools", { query: prompt });
      const id = /\d+/.exec(prompt)?.[0];
      if (id === undefined)
        return call("call_tool", { name: "invoices_count", input: { country: "NO", status: "open" } });
      return call("call_tool", { name: "shipments_cancel", input: { id } });
    },
  };
}
