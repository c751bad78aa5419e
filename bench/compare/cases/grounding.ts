import { isDeepStrictEqual } from "node:util";
import {
  type Answer,
  call,
  type Case,
  chunk,
  endingOf,
  FINAL,
  GEMINI_2,
  GEMINI_3,
  type GeminiRequest,
  isAnswered,
  lastContents,
  parts,
  refuse,
  say,
  type Seen,
  SIGNATURE,
  type Verdict,
} from "../case.ts";

const OSLO = { city: "Oslo" };
const SEARCHED = [
  {
    toolCall: { id: "s1", toolType: "GOOGLE_SEARCH_WEB", args: { queries: ["oslo rain"] } },
    thoughtSignature: SIGNATURE,
  },
  {
    toolResponse: { id: "s1", toolType: "GOOGLE_SEARCH_WEB", response: { search_suggestions: "<b>oslo rain</b>" } },
    thoughtSignature: SIGNATURE,
  },
];

const SAID = `Ærø er våt 🌧️. ${FINAL}`;
const ENTRY_POINT = "<b>oslo rain</b>";
const GROUNDED = {
  groundingMetadata: {
    webSearchQueries: ["oslo rain", "ærø rain"],
    searchEntryPoint: { renderedContent: ENTRY_POINT },
    groundingChunks: [{ web: { uri: "https://weather.example/oslo", title: "weather.example" } }],
    groundingSupports: [
      {
        segment: { startIndex: bytes(SAID) - bytes(FINAL), endIndex: bytes(SAID), text: FINAL },
        groundingChunkIndices: [0],
      },
    ],
  },
};
const QUERY_PRICE = 0.014;

/** Google Search: beside functions, and what an application gets from it. */
export const GROUNDING: readonly Case[] = [
  {
    id: "search-3",
    model: GEMINI_3,
    search: true,
    answer: ({ request }) => {
      if (isBoth(request) && !isFlagged(request))
        return refuse(
          400,
          "INVALID_ARGUMENT",
          "Please enable tool_config.include_server_side_tool_invocations to use Built-in tools with Function calling.",
        );
      return isBoth(request) && !isCalled(request) ? parts(...SEARCHED, call("c1", OSLO)) : answerApart(request);
    },
    rows: [
      { id: "search-3", label: "Google Search beside functions, Gemini 3", judge: judgeSearch },
      { id: "server-parts", label: "parts of tools that the service ran go back as they came", judge: judgeReturned },
    ],
  },
  {
    id: "search-2",
    model: GEMINI_2,
    search: true,
    answer: ({ request }) => {
      if (isBoth(request)) return refuse(400, "INVALID_ARGUMENT", "Tool use with function calling is unsupported");
      return answerApart(request);
    },
    rows: [{ id: "search-2", label: "Google Search beside functions, Gemini 2.5", judge: judgeSearch }],
  },
  {
    id: "grounded",
    model: GEMINI_3,
    search: true,
    answer: grounded,
    rows: [
      { id: "citations", label: "citations are ranges of the text", judge: judgeCitations },
      { id: "entry-point", label: "the search entry point reaches the application", judge: judgeEntryPoint },
      { id: "search-cost", label: "the cost contains search queries", judge: judgeCost },
    ],
  },
];

/** Answers a request that has no search beside functions. A function that is not `weather` is taken for a search. */
function answerApart(request: GeminiRequest): Answer {
  if (isCalled(request)) return say();
  if (hasSearch(request)) return grounded();
  const other = namesIn(request).find((name) => name !== "weather");
  const search = { functionCall: { name: other, args: { query: "oslo rain", request: "oslo rain" } } };
  return parts(...(other === undefined ? [] : [search]), call("c1", OSLO));
}

function grounded(): Answer {
  return { chunks: [chunk([{ text: SAID }]), chunk([{ text: "" }], "STOP", GROUNDED)] };
}

function judgeSearch(seen: Seen): Verdict {
  if (!isAnswered(seen)) return { met: "no", says: endingOf(seen) };
  if (!seen.asked.some(({ request }) => hasSearch(request))) return { met: "no", says: "search dropped" };
  if (seen.inputs.length === 0) return { met: "no", says: "functions dropped" };
  return { met: "yes", says: seen.asked.some(({ request }) => isBoth(request)) ? "together" : "separate request" };
}

function judgeReturned(seen: Seen): Verdict {
  if (!seen.asked.some(({ request }) => isBoth(request) && isCalled(request)))
    return { met: "untested", says: "none came" };
  const isThere = lastContents(seen).some(({ parts: all = [] }) => isDeepStrictEqual(all.slice(0, 2), SEARCHED));
  if (isThere) return { met: "yes", says: "sent back" };
  const isSome = JSON.stringify(lastContents(seen)).includes('"toolResponse"');
  return { met: "no", says: isSome ? "changed" : "dropped" };
}

function judgeCitations(seen: Seen): Verdict {
  if (seen.result === undefined) return { met: "no", says: endingOf(seen) };
  const { citations, text } = seen.result;
  const [first] = citations ?? [];
  if (first === undefined) return { met: "no", says: "none" };
  return text.slice(first.start, first.end) === FINAL
    ? { met: "yes", says: "for `slice`" }
    : { met: "partly", says: "as bytes" };
}

function judgeEntryPoint(seen: Seen): Verdict {
  if (seen.result === undefined) return { met: "no", says: endingOf(seen) };
  return seen.result.entryPoint === ENTRY_POINT ? { met: "yes", says: "there" } : { met: "no", says: "dropped" };
}

function judgeCost(seen: Seen): Verdict {
  const cost = seen.result?.cost;
  if (cost === undefined) return { met: "no", says: "no cost" };
  return cost > 2 * QUERY_PRICE ? { met: "yes", says: "counted" } : { met: "no", says: "tokens only" };
}

function hasSearch({ tools = [] }: GeminiRequest): boolean {
  return tools.some((tool) => "googleSearch" in tool || "google_search" in tool);
}

function namesIn({ tools = [] }: GeminiRequest): readonly string[] {
  return tools.flatMap(({ functionDeclarations = [] }) => functionDeclarations.map(({ name }) => name));
}

function isBoth(request: GeminiRequest): boolean {
  return hasSearch(request) && namesIn(request).length > 0;
}

function isFlagged({ toolConfig, tool_config }: GeminiRequest): boolean {
  const config = { ...tool_config, ...toolConfig };
  return config["includeServerSideToolInvocations"] === true || config["include_server_side_tool_invocations"] === true;
}

function isCalled({ contents = [] }: GeminiRequest): boolean {
  return contents.some(({ parts: all = [] }) => all.some((part) => part.functionResponse?.name === "weather"));
}

function bytes(text: string): number {
  return Buffer.byteLength(text);
}
