import { DEV, type Question, question, takenAll } from "../question.ts";
import { type Ask, type LiveAnswer, pick } from "../service.ts";
import { CLOCK, config, hello, mode, text, user } from "./bodies.ts";

/** Names of members, to compare answers with different words. */
const keys = (value: unknown): string =>
  typeof value === "object" && value !== null ? Object.keys(value).toSorted().join(" ") : String(value);
/** Names without optional members. */
const shape = (value: unknown): string =>
  keys(value)
    .replaceAll(
      /\b(?:thoughtsTokenCount|cachedContentTokenCount|cacheTokensDetails|safetyRatings|rawPromptTokenCount) ?/g,
      "",
    )
    .trim();
const ALL = { services: ["developer", "vertex", "comet"] } as const;
const cachedContents = { path: "v1beta/cachedContents" };

const limited = { generationConfig: { maxOutputTokens: 512 } };
const answer = (ask: Ask, verb?: string): Promise<LiveAnswer> => ask({ verb, ...hello(limited) });
const lastParts = (json: unknown): readonly unknown[] => {
  const parts = pick(json, "candidates", 0, "content", "parts");
  return Array.isArray(parts) ? parts : [];
};
const embed = (more: object) => ({
  model: "gemini-embedding-001",
  verb: "embedContent",
  body: { content: { parts: [text("hi")] }, ...more },
});
const upload = {
  "x-goog-upload-protocol": "resumable",
  "x-goog-upload-command": "start",
  "x-goog-upload-header-content-length": "3",
};

/** Whether answers have the same fields and bytes as the emulator's. */
export const ANSWER_QUESTIONS: readonly Question[] = [
  question("answer-fields", "Which members has an answer of text?", ["members of an answer"], async (ask) => {
    const { json } = await answer(ask);
    return { is: `${keys(json)} / ${shape(pick(json, "candidates", 0))} / ${shape(pick(json, "usageMetadata"))}` };
  }),
  question("answer-signed", "Is the last text of an answer signed?", ["signatures of texts"], async (ask) => ({
    is: pick(lastParts((await answer(ask)).json).at(-1), "thoughtSignature") === undefined ? "not signed" : "signed",
  })),
  question(
    "call-fields",
    "Which members has a call, and how does its turn end?",
    ["ids of calls", "finishMessage"],
    async (ask) => {
      const candidate = pick((await ask(hello({ ...CLOCK, ...mode("ANY"), ...limited }))).json, "candidates", 0);
      const [part] = lastParts({ candidates: [candidate] });
      const id = pick(part, "functionCall", "id");
      const form = typeof id !== "string" ? "no id" : /^[a-z0-9]{8}$/.test(id) ? "an id of 8" : `an id of ${id.length}`;
      return {
        is: [keys(part), form, ...["finishReason", "finishMessage"].map((name) => String(pick(candidate, name)))].join(
          " / ",
        ),
      };
    },
  ),
  question(
    "usage-sum",
    "Is the total the sum of prompt, candidates, thoughts and tool use?",
    ["totalTokenCount"],
    async (ask) => {
      const usage = pick((await answer(ask)).json, "usageMetadata");
      if (usage === undefined) return { is: "no usage" };
      const counts = ["prompt", "candidates", "thoughts", "toolUsePrompt"].map((name) =>
        Number(pick(usage, `${name}TokenCount`) ?? 0),
      );
      return {
        is: counts.reduce((sum, count) => sum + count) === pick(usage, "totalTokenCount") ? "the sum" : "not the sum",
      };
    },
  ),
  question(
    "stream-framing",
    "How are the events of a stream framed, and how does it end?",
    ["framing of streams"],
    async (ask) => {
      const { text: body, headers } = await answer(ask, "streamGenerateContent");
      const lines = [
        body.includes("\r\n\r\n") ? "CRLF" : "LF",
        /^(?:event|id|:)/m.test(body) ? "other lines" : "data only",
      ];
      return {
        is: [headers.get("content-type"), ...lines, body.includes("[DONE]") ? "[DONE]" : "no [DONE]"].join(", "),
      };
    },
    { ...ALL, file: "respond/framing.ts" },
  ),
  question(
    "stream-chunks",
    "Do all chunks of a stream have one response id, and usage?",
    ["responseId", "usageMetadata"],
    async (ask) => {
      const { json } = await answer(ask, "streamGenerateContent");
      const chunks: readonly unknown[] = Array.isArray(json) ? json : [];
      const ids = new Set(chunks.map((chunk) => pick(chunk, "responseId"))).size;
      const usage = chunks.every((chunk) => pick(chunk, "usageMetadata")) ? "each" : "some";
      return {
        is: `${ids} id, usage in ${usage}, ${String(pick(chunks.at(-1), "candidates", 0, "finishReason"))} in the last`,
      };
    },
  ),
  question(
    "stream-array",
    "Is a stream without alt=sse one JSON array?",
    ["streams without alt=sse"],
    async (ask) => {
      const { json } = await ask({ ...hello(limited), path: "v1beta/models/gemini-3.8-flash:streamGenerateContent" });
      return { is: pick(json, 0, "candidates") === undefined ? "something else" : "an array" };
    },
    { ...DEV, file: "respond/framing.ts" },
  ),
  question(
    "thoughts",
    "Do summaries of thoughts come as parts with thought: true?",
    ["thought summaries"],
    async (ask) => {
      const { body } = config({
        maxOutputTokens: 2_048,
        thinkingConfig: { includeThoughts: true, thinkingLevel: "HIGH" },
      });
      const asked = { ...(body as object), contents: [user(text("How many primes are below 60?"))] };
      const [part] = lastParts((await ask({ body: asked })).json);
      return { is: pick(part, "thought") === true ? keys(part) : "none" };
    },
  ),
  question(
    "prompt-cached",
    "Are the tokens of a prompt that comes again reported as cached?",
    ["implicit caching"],
    async (ask) => {
      const body = {
        contents: [user(text("The quick brown fox jumps over the lazy dog. ".repeat(900)), text("Say hi."))],
        ...limited,
      };
      await ask({ body });
      return {
        is:
          pick((await ask({ body })).json, "usageMetadata", "cachedContentTokenCount") === undefined
            ? "not cached"
            : "cached",
      };
    },
    { changes: { "not cached": { options: { caches: { implicitMinTokens: 1_000_000 } } } } },
  ),
  question(
    "count-fields",
    "Which members has a count of tokens?",
    ["countTokens"],
    async (ask) => ({ is: keys((await ask({ ...hello(), verb: "countTokens" })).json) }),
    { ...ALL, file: "emulator.ts" },
  ),
  question(
    "embedding-fields",
    "What does an embedding look like?",
    ["embedContent"],
    async (ask) => {
      const { json } = await ask(embed({}));
      return { is: `${keys(json)}, ${String(pick(json, "embedding", "values", "length"))} values` };
    },
    { ...DEV, file: "embeddings/answer-embeddings.ts" },
  ),
  ...takenAll({
    "embedding-dimensions": [
      "How are too many dimensions of an embedding refused?",
      "X-1",
      embed({ outputDimensionality: 4_000 }),
      DEV,
    ],
  }),
  question(
    "model-fields",
    "Which members has a model?",
    ["models.get"],
    async (ask) => ({ is: keys((await ask({ path: "v1beta/models/gemini-3.8-flash", method: "GET" })).json) }),
    { ...DEV, file: "respond/models-answer.ts" },
  ),
  question(
    "cache-small",
    "How many tokens does a cached content need?",
    ["E-49"],
    async (ask) => {
      const refused = await ask({
        ...cachedContents,
        body: { model: "models/gemini-3.8-flash", contents: [user(text("a"))] },
      });
      return { is: /min_total_token_count=(\d+)/.exec(refused.text)?.[1] ?? "unknown" };
    },
    {
      ...DEV,
      changes: Object.fromEntries(
        [2_048, 4_096].map((minTokens) => [minTokens, { options: { caches: { minTokens } } }]),
      ),
    },
  ),
  ...takenAll({
    "cache-unknown": [
      "How is a cached content refused that does not exist?",
      "C-1",
      hello({ cachedContent: "cachedContents/madeupbypnpmlive" }),
      DEV,
    ],
    "cache-past": [
      "How is a cached content refused that has expired before it is made?",
      "C-3",
      { ...cachedContents, body: { model: "models/gemini-3.8-flash", contents: [user(text("a"))], ttl: "-5s" } },
      DEV,
    ],
    "files-page": [
      "How is a wrong page of the list of files refused?",
      "F-3",
      { path: "v1beta/files?pageToken=madeup", method: "GET" },
      DEV,
    ],
    "file-name": [
      "How is a misspelled name of a file refused?",
      "F-2",
      { path: "upload/v1beta/files", body: { file: { name: "files/Made_Up!" } }, moreHeaders: upload },
      DEV,
    ],
  }),
];
