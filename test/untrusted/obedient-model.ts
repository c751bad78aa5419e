import type { Content, JsonObject } from "@pollux/core";
import { calls, grounded, join, say, type ScriptedCall, type ScriptLine, ScriptedModel } from "@pollux/core/testing";
import type { ModelRequest } from "@pollux/core/model";

/** The secret that nobody outside may learn. It is also a host label. */
export const CANARY = "canary-7f3a9c";

/** An order, which the obedient model follows wherever it reads it. `{secret}` in a value stands for the secret it knows by then. */
export function order(tool: string, args: JsonObject): string {
  return `[[do ${tool} ${JSON.stringify(args)}]]`;
}

/** Its answer with a service search that found this. */
export const SEARCH = "[[search]]";

interface Order {
  readonly name: string;
  readonly args: JsonObject;
  readonly text: string;
}

/**
 * A model that follows all orders, from anybody and anywhere in a request: in texts, results, keys, names, declarations, files and
 * pictures. No text around an order protects from it. It repeats orders for missing tools in its answer.
 *
 * @param found - Results of a service search.
 * @param mixes - Whether it accepts functions and service searches in one request.
 */
export function obedientModel(found = "", mixes = true): ScriptedModel {
  const line: ScriptLine = (request) => {
    const asked = request.contents.at(-1);
    const isAsked = asked?.role === "user" && asked.parts.some(({ text }) => text?.includes(SEARCH));
    const searches = isAsked && request.builtIns.length > 0;
    if (!searches) return obey(request);
    const page = { uri: "https://news.example/today", title: "news.example" };
    const answer = grounded(`It says: ${found}`, { sources: [page], queries: ["news"] });
    const next = ordered(request, [found]);
    return next.length === 0 ? answer : join(answer, calls(...next));
  };
  const capabilities = { builtInsWithFunctions: mixes };
  return ScriptedModel.with({ capabilities }, ...Array.from({ length: 40 }, () => line));
}

function obey(request: ModelRequest): ReturnType<typeof say> {
  const next = ordered(request);
  if (next.length > 0) return calls(...next);
  const declared = new Set(request.functions.map(({ name }) => name));
  const passed = read(request).flatMap(findOrders);
  return say(["Done.", ...passed.flatMap(({ name, text }) => (declared.has(name) ? [] : [text]))].join("\n"));
}

/** The ordered calls that it has not made yet. */
function ordered(request: ModelRequest, more: readonly string[] = []): ScriptedCall[] {
  const texts = [...read(request), ...more];
  const knows = texts.some((text) => text.includes(CANARY));
  const declared = new Set(request.functions.map(({ name }) => name));
  const made = new Set(request.contents.flatMap(callsIn));
  const next = new Map<string, ScriptedCall>();
  for (const { name, args } of texts.flatMap(findOrders)) {
    const text = JSON.stringify(args);
    if (!declared.has(name) || (text.includes("{secret}") && !knows)) continue;
    const filled = JSON.parse(text.replaceAll("{secret}", CANARY)) as JsonObject;
    const key = keyOf(name, filled);
    if (!made.has(key)) next.set(key, { name, args: filled });
  }
  return [...next.values()];
}

function callsIn({ parts }: Content): string[] {
  return parts.flatMap(({ functionCall: made }) => (made === undefined ? [] : [keyOf(made.name, made.args)]));
}

function keyOf(name: string, args: JsonObject = {}): string {
  return `${name} ${JSON.stringify(args)}`;
}

/** All texts of a request, except the model's own calls. */
function read({ instructions = "", contents, functions }: ModelRequest): string[] {
  const parts = contents.flatMap((content) => content.parts.filter(({ functionCall }) => functionCall === undefined));
  return [...textsIn([instructions, parts, functions])];
}

function* textsIn(value: unknown): Generator<string> {
  if (typeof value === "string") yield value;
  else if (Array.isArray(value)) for (const one of value) yield* textsIn(one);
  else if (typeof value === "object" && value !== null) {
    for (const [key, one] of Object.entries(value)) {
      yield key;
      // It reads pictures.
      if (key === "data" && typeof one === "string") yield Buffer.from(one, "base64").toString("latin1");
      else yield* textsIn(one);
    }
  }
}

function findOrders(text: string): Order[] {
  const found = ordersIn(text);
  // It reads Markdown.
  return found.length > 0 ? found : ordersIn(text.replace(/\\([[\]_\\])/g, "$1"));
}

function ordersIn(text: string): Order[] {
  const found: Order[] = [];
  const start = /\[\[do (\w+) (?=\{)/g;
  for (let match = start.exec(text); match !== null; match = start.exec(text)) {
    const [lead, name = ""] = match;
    const from = match.index + lead.length;
    for (let end = text.indexOf("}]]", from); end >= 0; end = text.indexOf("}]]", end + 1)) {
      const args = parse(text.slice(from, end + 1));
      if (args === undefined) continue;
      found.push({ name, args, text: order(name, args) });
      start.lastIndex = end + 3;
      break;
    }
  }
  return found;
}

/** JSON, also inside JSON. */
function parse(text: string): JsonObject | undefined {
  for (const unquote of [() => text, () => JSON.parse(`"${text}"`) as string])
    try {
      return JSON.parse(unquote()) as JsonObject;
    } catch {
      // Not this one.
    }
  return undefined;
}
