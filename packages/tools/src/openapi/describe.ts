import { answerTypes, memberNames, successOf, successSchema } from "./body.ts";
import { type OpenApiRoot, resolved } from "./document.ts";
import { shortened, textAt } from "./json.ts";
import type { FoundOperation } from "./operations.ts";

/** Longest text taken from the document for a description, in characters. */
const MAX_TEXT = 600;

/** Characters of a text that are searched for links and tags; the rest is never shown. */
const MAX_MARKUP = 4_000;

/** The tool's description: the document's summary and description, the request, and the response. */
export function describe(document: OpenApiRoot, operation: FoundOperation): string {
  const { definition, method, path, summary } = operation;
  const text = textAt(definition, "description") ?? "";
  const full = summary !== "" && !text.startsWith(summary) ? `${sentence(summary)} ${text}` : text;
  return [
    operation.deprecated ? "Deprecated." : "",
    shortened(withoutMarkup(full), MAX_TEXT),
    `(${method} ${path})`,
    answerText(document, operation),
  ]
    .filter((part) => part !== "")
    .join(" ");
}

function answerText(document: OpenApiRoot, operation: FoundOperation): string {
  const { answer } = successOf(document, operation);
  const schema = successSchema(document, operation);
  const isList = schema["type"] === "array";
  const item = isList ? resolved(document.root, schema["items"]) : schema;
  const names = memberNames(document, item, 12);
  const shape =
    names.length > 0
      ? `${isList ? "a list of objects" : "an object"} with ${names.join(", ")}`
      : isList
        ? "a list"
        : "";
  const text = shortened(withoutMarkup(textAt(answer, "description") ?? ""), 120);
  const isPlain = /^(?:ok|success(?:ful)?(?: (?:response|operation))?|response|default response|description)\.?$/i.test(
    text,
  );
  const types = answerTypes(document, operation);
  const other = shape === "" && types.length > 0 && !types.some((type) => /json|\*/.test(type)) ? (types[0] ?? "") : "";
  const parts = [shape, isPlain ? "" : text, other].filter((part) => part !== "");
  return parts.length === 0 ? "" : `Returns ${parts.join("; ")}.`.replaceAll(/\.\.$/g, ".");
}

/** Replaces links by their text and removes tags. */
function withoutMarkup(text: string): string {
  return text
    .slice(0, MAX_MARKUP)
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll(/<\/?[a-z][^<>]*>/gi, " ");
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
