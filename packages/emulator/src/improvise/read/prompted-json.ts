import type { BrainTurn } from "../../brain/brain.ts";
import { type Fields, isFields } from "../../internal/json.ts";

const MAX_READ = 12_000;
const VERB = "(?:answer|respond|reply|return|output|give|produce|generate|provide|emit|print|write|format|list|use)";
const KIND =
  "(?:(?:an?|the|this|following|valid|raw|pure|plain|strict|strictly|single|minified|only|just|always|with|in|as|using|me|us|back|it|them|your|all|everything|answers?|results?|responses?|output)\\s+)";
/** Not one of the things that are only named after it. */
const IT = String.raw`JSON\b(?!\.\w|\s+(?:files?|pars\w+|librar\w+|tutorials?|schemas?|types?|syntax|guides?|or|over|vs|versus)\b)`;
const ASKS = new RegExp(
  [
    String.raw`(?:^\W*|[,;:(]\s*|\b(?:please|must|always|only|and|then|just|you(?: will| should)?)\s+)${VERB}\s+${KIND}{0,8}${IT}`,
    String.raw`\b(?:answer|reply|response|output)s?\s+(?:must|should|has to|needs to|is to|will)\s+be\s+${KIND}{0,4}${IT}`,
    String.raw`\b(?:as|in)\s+(?:(?:an?|valid|raw|pure|plain|strict|single)\s+){0,3}${IT}`,
    String.raw`\bJSON\s+only\b(?!\s+\w)|\bonly\s+(?:\w+\s+)?${IT}`,
  ].join("|"),
  "i",
);
/** In sentences about JSON, about programs that read or write it, and about what holds only at times. */
const ABOUT =
  /^\W*(?:how|why|if|when(?:ever)?)\b|\bmeans?\b|(?:\b(?:not|never|without)|n't)\b[^,;:]{0,40}JSON|\b(?:instead of|rather than|from|convert|pars\w+)\s+(?:\w+\s+){0,2}JSON|\b(?:function|code|script|program|class)\b(?:\s+(?:that|which|to|in|for|with)\b.*|\W+)JSON|\b(?:tools?|functions?|servers?|services?|APIs?|programs?|we|they|it)(?:\s+results?)?\s+(?:returns?|respon\w+|answer\w*|repl\w+|stor\w+|sen[dt]s?|give\w*|is|are|was)\b.*JSON/i;
const PHRASES = new RegExp(
  String.raw`^\W*(?:please\s+)?${VERB}\b(?:\s+me)?|\b(?:(?:as|in|with|an?|valid|only)\s+)*JSON\b(?:\s+(?:objects?|array|list|format|of|for|like))*`,
  "gi",
);
const BARE =
  /\bonly\b[^.\n]*\bJSON\b|\b(?:JSON only|raw|nothing else)\b|\b(?:no|without)\b.{0,30}\b(?:markdown|fences?|code ?blocks?|backticks)\b/i;
const SENTENCES = /(?<=[.!?])\s+|\n/;
const KEYS = /\b(?:keys?|fields?|propert(?:y|ies)|attributes?)\b(?:\s+(?:are|named|called))?[:\s]([^.;]*)/i;
const QUOTED = /["'`]([A-Za-z_]\w*)["'`]/g;

/** JSON that a request asks for in words. */
export interface PromptedJson {
  /** From a schema, an example or keys; undefined if none are given. */
  readonly schema: Fields | undefined;
  /** Whether it goes in a code block, as models answer unless told otherwise. */
  readonly fenced: boolean;
  /** The prompt without what it says of JSON. */
  readonly prompt: string;
}

/** Reads a request for JSON from the prompt or the system instruction. */
export function promptedJson({ prompt, request }: BrainTurn): PromptedJson | undefined {
  if (![undefined, "text/plain"].includes(request.generationConfig?.responseMimeType)) return undefined;
  const system = (request.systemInstruction?.parts ?? []).map(({ text }) => text ?? "").join("\n");
  for (const whole of [prompt.slice(0, MAX_READ), system.slice(0, MAX_READ)]) {
    const own = whole.replaceAll(/```.*?```/gs, "\n");
    const sentence = own.split(SENTENCES).find((said) => ASKS.test(said) && !ABOUT.test(said));
    if (sentence === undefined) continue;
    const after = whole.slice(whole.indexOf(sentence));
    const said = /[[{]/.test(after) || KEYS.test(after) || !/\bschema\b/i.test(whole) ? after : whole;
    const block = said.slice(0, Math.max(said.lastIndexOf("]"), said.lastIndexOf("}")) + 1).replace(/^[^[{]*/, "");
    const words = sentence.replace(/[[{].*/s, "");
    const left = KEYS.test(words) || words.search(QUOTED) >= 0 ? "" : words.replaceAll(PHRASES, "");
    const asked = prompt.slice(0, MAX_READ).replace(block, "").split(words).join(left);
    const rest = asked.split(SENTENCES).filter((item) => /\w/.test(item) && !/^```\w*$/.test(item) && !BARE.test(item));
    const keys = block === "" ? schemaOfKeys(said, words) : schemaOfBlock(block);
    const isList = /\bJSON\s+(?:array|list)\b|\barray of\b/i.test(words) && keys?.["type"] !== "array";
    const schema = isList ? { type: "array", items: keys ?? { type: "string" } } : keys;
    return { schema, fenced: !BARE.test(whole), prompt: rest.join("\n").trim() };
  }
  return undefined;
}

/** From a schema, an example, or what only looks like one, such as `{name: string}`. */
function schemaOfBlock(block: string): Fields {
  try {
    const value: unknown = JSON.parse(block);
    const isSchema = isFields(value) && ["properties", "items", "$schema", "anyOf"].some((key) => key in value);
    return isSchema ? value : schemaLike(value);
  } catch {
    return objectOf([...block.matchAll(/["'`]?([A-Za-z_]\w*)["'`]?\??\s*:([^,}\n]*)/g)].map(typedKey));
  }
}

function schemaLike(value: unknown): Fields {
  if (Array.isArray(value)) return { type: "array", items: schemaLike(value[0]) };
  if (isFields(value)) return objectOf(Object.entries(value).map(([key, item]) => [key, schemaLike(item)]));
  return typeof value === "number" || typeof value === "boolean" ? { type: typeof value } : typed(String(value));
}

/** From `keys a, b (number) and c`, or from quoted names. */
function schemaOfKeys(said: string, words: string): Fields | undefined {
  const keys = (KEYS.exec(said)?.[1] ?? "").split(/,(?![^(]{0,80}\))|\band\b|&|\n/).flatMap((item) => {
    const key = /^[\s"'`*-]*(?!(?:nothing|no|only|the|each|without|with)\b)([A-Za-z_][\w-]*)["'`*]*(.*)/s.exec(item);
    return key ? [key] : [];
  });
  const all = keys.length > 0 ? keys : [...words.matchAll(QUOTED)];
  return all.length > 0 ? objectOf(all.map(typedKey)) : undefined;
}

function objectOf(properties: readonly (readonly [string, Fields])[]): Fields {
  return { type: "object", properties: Object.fromEntries(properties), required: properties.map(([key]) => key) };
}

function typedKey([, key = "", hint]: RegExpExecArray): [string, Fields] {
  return [key, typed(hint)];
}

/** Without a type, a property takes whatever is known by its name. */
function typed(hint = ""): Fields {
  const type = /\b(string|number|integer|boolean|array|object)\b/i.exec(hint)?.[1]?.toLowerCase();
  return type === undefined
    ? { type: ["string", "number", "boolean"] }
    : { type, ...(type === "array" && { items: { type: "string" } }) };
}
