import { ConfigurationError } from "@pollux/core";
import type { OpenApiRoot } from "./document.ts";
import { isObject, type JsonObject, listAt, objectAt, textAt } from "./json.ts";
import type { FoundOperation } from "./operations.ts";

/** The servers that requests go to. */
export interface Servers {
  /** The server that the credentials belong to. */
  readonly main: URL;
  of(operation: FoundOperation): URL;
}

/**
 * @throws {ConfigurationError} If neither the document nor the option has a full URL.
 */
export function serversOf(document: OpenApiRoot, baseUrl: string | URL | undefined): Servers {
  if (baseUrl !== undefined) {
    const main = address(String(baseUrl));
    if (main === undefined)
      throw new ConfigurationError(
        `baseUrl must be an http or https URL, got ${JSON.stringify(String(baseUrl).slice(0, 100))}.`,
      );
    return { main, of: () => main };
  }
  const given = document.version === 2 ? addressOfSwagger(document.root) : addressIn(document.root);
  const main = given === undefined ? undefined : address(given);
  if (main === undefined) {
    throw new ConfigurationError(
      `This OpenAPI document ${given === undefined ? "names no server" : `names the server ${JSON.stringify(given.slice(0, 100))}, which is not a full URL`}. ` +
        'Pass one: openApiTools(document, { baseUrl: "https://…" }).',
    );
  }
  return {
    main,
    of: ({ item, definition }) => {
      const own = addressIn(definition) ?? addressIn(item);
      return own === undefined ? main : (address(own, main) ?? main);
    },
  };
}

function address(text: string, base?: URL): URL | undefined {
  const url = URL.canParse(text, base) ? new URL(text, base) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) ? url : undefined;
}

/** The first server, with the defaults of its variables. */
function addressIn(place: JsonObject): string | undefined {
  const [server] = listAt(place, "servers");
  if (!isObject(server)) return undefined;
  const variables = objectAt(server, "variables");
  return textAt(server, "url")?.replaceAll(/\{([^{}]+)\}/g, (whole, name: string) => {
    const value = objectAt(variables, name)["default"];
    return typeof value === "string" || typeof value === "number" ? String(value) : whole;
  });
}

function addressOfSwagger(root: JsonObject): string | undefined {
  const host = textAt(root, "host");
  if (host === undefined) return undefined;
  const schemes = listAt(root, "schemes").map(String);
  const scheme = schemes.find((one) => one === "https") ?? schemes.find((one) => one === "http") ?? "https";
  return `${scheme}://${host}${textAt(root, "basePath") ?? ""}`;
}
