import { ModelRetry } from "@pollux/core";
import { isObject, textAt } from "./json.ts";
import type { Parameter } from "./parameters.ts";
import { type Plan, WHOLE } from "./plan.ts";
import { headerText, isDots, pairsOf, pathText, plainText } from "./serialize.ts";

/** A request, before credentials are added. */
export interface PlannedRequest {
  readonly url: URL;
  readonly headers: Headers;
  readonly body: string | FormData | undefined;
}

type Input = { readonly [name: string]: unknown };

/**
 * Builds the request for a call's input.
 *
 * @param server - Prefix of the document's paths.
 * @throws {ModelRetry} For values that their parameter can't carry.
 */
export function requestOf(plan: Plan, input: Input, server: URL): PlannedRequest {
  const headers = new Headers();
  const url = new URL(server);
  url.hash = "";
  url.pathname = pathOf(plan, input, server);
  const query: string[] = url.search === "" ? [] : [url.search.slice(1)];
  const cookies: string[] = [];
  for (const [own, parameter] of plan.parameters) {
    const value = input[own];
    if (value === undefined || value === null) continue;
    if (parameter.in === "query") query.push(...pairsOf(parameter, value));
    if (parameter.in === "cookie") cookies.push(...pairsOf(parameter, value));
    if (parameter.in === "header") headers.set(parameter.name, headerText(parameter, value));
  }
  url.search = query.join("&");
  if (cookies.length > 0) headers.set("cookie", cookies.join("; "));
  const body = bodyOf(plan, input);
  // `fetch` itself sets the type of a multipart body, because of the boundary.
  if (body !== undefined && typeof body === "string") headers.set("content-type", plan.body?.mediaType ?? "");
  return { url, headers, body };
}

function pathOf({ operation, parameters }: Plan, input: Input, server: URL): string {
  const values = new Map(
    [...parameters].flatMap(([own, parameter]): [string, [string, Parameter]][] =>
      parameter.in === "path" ? [[parameter.name, [own, parameter]]] : [],
    ),
  );
  const path = operation.path.replaceAll(/\{([^{}]+)\}/g, (_whole, name: string) => {
    const [own, parameter] = values.get(name) ?? [];
    const value = own === undefined ? undefined : input[own];
    if (own === undefined || parameter === undefined || value === undefined || value === null)
      throw new ModelRetry(`${own ?? name}: required but missing`);
    return pathText(parameter, value);
  });
  // URLs resolve the segments `.` and `..`, which would lead to another operation.
  const bad = path.split("/").find((segment) => isDots(segment));
  if (bad !== undefined)
    throw new ModelRetry(
      `the path would contain the segment ${JSON.stringify(bad)}, which leads elsewhere; use another value`,
    );
  return server.pathname.replace(/\/+$/, "") + path;
}

function bodyOf(plan: Plan, input: Input): string | FormData | undefined {
  const { body } = plan;
  if (body === undefined) return undefined;
  const given = [...plan.bodyMembers].flatMap(([own, name]): [string, unknown][] =>
    input[own] === undefined ? [] : [[name, input[own]]],
  );
  const isWhole = plan.bodyMembers.get([...plan.bodyMembers.keys()][0] ?? "") === WHOLE;
  if (given.length === 0 && (isWhole || !body.required)) return undefined;
  const value = isWhole ? given[0]?.[1] : Object.fromEntries(given);
  switch (body.kind) {
    case "json":
      return JSON.stringify(value);
    case "text":
      return plainText(value);
    case "form":
      return formText(plan, value);
    case "multipart":
      return formData(plan, value);
  }
}

function formText(plan: Plan, value: unknown): string {
  if (!isObject(value)) throw new ModelRetry("body: must be an object, because it is sent as a form");
  return Object.entries(value)
    .flatMap(([name, item]) => {
      const encoding = plan.body?.encoding[name];
      const style = isObject(encoding) ? textAt(encoding, "style") : undefined;
      const explode = isObject(encoding) ? encoding["explode"] : undefined;
      return pairsOf(
        {
          name,
          in: "query",
          required: false,
          description: undefined,
          schema: {},
          style: style === "deepObject" || style === "spaceDelimited" || style === "pipeDelimited" ? style : "form",
          explode:
            typeof explode === "boolean" ? explode : style === undefined || style === "form" || style === "deepObject",
          allowReserved: false,
          isJson: isObject(item) && style === undefined,
          isPath: false,
        },
        item,
      );
    })
    .map((pair) => pair.replaceAll("%20", "+"))
    .join("&");
}

function formData(plan: Plan, value: unknown): FormData {
  if (!isObject(value)) throw new ModelRetry("body: must be an object, because it is sent as a form");
  const form = new FormData();
  const schema = plan.body?.schema;
  const properties = isObject(schema) && isObject(schema["properties"]) ? schema["properties"] : {};
  for (const [name, item] of Object.entries(value)) {
    for (const one of Array.isArray(item) ? (item as readonly unknown[]) : [item]) {
      if (one === undefined || one === null) continue;
      if (isFile(properties[name]))
        form.append(name, new Blob([plainText(one)], { type: "text/plain" }), `${name}.txt`);
      else form.append(name, plainText(one));
    }
  }
  return form;
}

function isFile(schema: unknown): boolean {
  if (!isObject(schema)) return false;
  return (
    schema["type"] === "file" ||
    schema["format"] === "binary" ||
    schema["contentMediaType"] === "application/octet-stream" ||
    isFile(schema["items"])
  );
}
