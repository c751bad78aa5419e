import { DEV, type Question, question, refusalOf, strict, taken, takenAll } from "../question.ts";
import { type Ask, type LiveRequest, partsOf, pick, Unanswered } from "../service.ts";
import { call, CLOCK, DUMMY, hello, model, realCall, response, text, conversation, tools, user } from "./bodies.ts";

const ARGON = "gemini-4-argon";
const MATCHED = ["gemini-3.5-flash", "gemini-3.8-flash", ARGON].flatMap((name) =>
  Object.entries({ "no id": response(null), "another id": response("b"), "another name": response("a", "date") }).map(
    ([what, given]) => ({ name, what, given }),
  ),
);
const CONTRARY = "context_engineering_is_the_way_to_go";

/** A real call, whose signature goes to another part. */
async function moved(ask: Ask, parts: (signature: unknown) => readonly unknown[]): Promise<LiveRequest> {
  const { thoughtSignature } = await realCall(ask);
  return conversation([model(...parts(thoughtSignature)), user(response("a", "date"))]);
}

/** An answer of Gemini 4 that stopped at its limit, and the request that continues it. */
async function continued(ask: Ask, change: object): Promise<LiveRequest> {
  const body = { contents: [user(text("Count from 1 to 500 in words."))], generationConfig: { maxOutputTokens: 8 } };
  const continuationToken = pick((await ask({ model: ARGON, body })).json, "candidates", 0, "continuationToken");
  if (continuationToken === undefined) throw new Unanswered("an answer that was cut came without a continuation token");
  return { model: ARGON, body: { ...body, generationConfig: { maxOutputTokens: 400 }, ...change, continuationToken } };
}

/** Real parts of a search, without their signatures. */
async function unsignedSearch(ask: Ask): Promise<LiveRequest> {
  const contents = [user(text("Search the web for the population of Oslo, and call clock."))];
  const body = {
    tools: [{ googleSearch: {} }, ...(CLOCK["tools"] as readonly object[])],
    toolConfig: { includeServerSideToolInvocations: true },
  };
  const parts = partsOf(await ask({ body: { contents, ...body, generationConfig: { maxOutputTokens: 2_048 } } }));
  const kept = parts
    .filter((part) => "toolCall" in part || "toolResponse" in part)
    .map(({ thoughtSignature: _signature, ...part }) => part);
  if (kept.length === 0) throw new Unanswered("the model did not search");
  return { body: { contents: [...contents, model(...kept, call()), user(response())], ...body } };
}

/** Models whose recordings contradict rules. */
const EXCEPTIONS = { changes: { taken: strict({ exceptions: "accept" }), refused: strict({ exceptions: "refuse" }) } };

/** Whether the service accepts a history: responses, signatures, media. */
export const HISTORY_QUESTIONS: readonly Question[] = [
  ...MATCHED.map(({ name, what, given }) =>
    question(
      `matching-${what.replaceAll(" ", "-")}-${name}`,
      `What happens to a response with ${what} on ${name}?`,
      ["E-15", "responseMatching"],
      async (ask) => {
        const answer = await ask(conversation([model(call()), user(given)], name));
        const reading = refusalOf(answer);
        const isEmpty =
          reading.is === "taken" && partsOf(answer).every((part) => !part["text"] && !part["functionCall"]);
        return isEmpty && pick(answer.json, "candidates", 0, "finishReason") === "STOP" ? { is: "empty" } : reading;
      },
      {
        changes: {
          taken: strict({ responseMatching: "accept" }),
          empty: strict({ responseMatching: "empty" }),
          refused: strict({ responseMatching: "refuse" }),
        },
      },
    ),
  ),
  ...takenAll({
    "mixed-3.5": [
      "Does 3.5-flash take text after a response in one content?",
      "E-14, mixedResponses",
      conversation([model(call()), user(response(), text("Go on."))], "gemini-3.5-flash"),
      { ...DEV, changes: { refused: strict({ mixedResponses: "refuse" }) } },
    ],
    "moved-call": [
      "Is the signature of one call taken on another?",
      "E-55, movedSignatures",
      (ask) => moved(ask, (signature) => [call("date", signature)]),
      { ...DEV, changes: { taken: strict({ movedSignatures: "accept" }) } },
    ],
    "moved-text": [
      "Is the signature of a call taken on a text?",
      "E-55, movedSignatures",
      (ask) => moved(ask, (thoughtSignature) => [{ text: "Let me look.", thoughtSignature }, call("date")]),
      { ...DEV, changes: { refused: strict({ movedSignatures: "refuse" }) } },
    ],
    "signature-of-3.6": [
      "Does 3.8 take a signature that 3.6 issued?",
      "E-51, signatures between models",
      async (ask) => {
        const issued = await realCall(ask, "gemini-3.6-flash");
        const { id = null, name } = issued["functionCall"] as { readonly id?: string; readonly name: string };
        return conversation([model(issued), user(response(id, name))]);
      },
    ],
  }),
  ...[DUMMY, CONTRARY].flatMap((dummy) =>
    [dummy, btoa(dummy)].map((value) =>
      taken(
        `dummy-${dummy.slice(0, 4)}-${value === dummy ? "raw" : "base64"}`,
        `Is the dummy signature \`${value}\` taken?`,
        ["E-53"],
        conversation([model(call("clock", value)), user(response())]),
        DEV,
      ),
    ),
  ),
  ...takenAll({
    "search-unsigned": [
      "Is a search of the service's own refused without its signature?",
      "E-52",
      unsignedSearch,
      { ...DEV, changes: { taken: strict({ guesses: false }) } },
    ],
    "parameters-empty": [
      "Is an object without properties taken as parameters?",
      "E-21, exceptions",
      hello(tools({ name: "f", description: "x", parameters: { type: "OBJECT" } }, { name: "g", description: "x" })),
      EXCEPTIONS,
    ],
    "search-without-flag": [
      "Is urlContext taken beside functions without the flag?",
      "E-35, exceptions",
      hello({ tools: [{ urlContext: {}, functionDeclarations: [{ name: "f", description: "x" }] }] }),
      { ...DEV, ...EXCEPTIONS },
    ],
    "continuation-invented": [
      "Is an invented continuation token refused?",
      "continuation",
      hello({ continuationToken: "bWFkZSB1cA==" }, ARGON),
      { changes: { taken: strict({ guesses: false }) } },
    ],
    "continuation-other": [
      "Is the continuation token of another request refused?",
      "continuation",
      (ask) => continued(ask, { contents: [user(text("Name the months."))] }),
      { changes: { taken: strict({ guesses: false }) } },
    ],
    "continuation-more": [
      "Does a cut answer continue with a higher maxOutputTokens?",
      "continuation after MAX_TOKENS",
      (ask) => continued(ask, {}),
    ],
    "prefill-3.5": [
      "Does 3.5-flash continue a last content of the model?",
      "E-13b",
      conversation([model(text("It is"))], "gemini-3.5-flash"),
    ],
    "image-broken": [
      "Is an image refused that is none?",
      "E-75, decodeImages",
      conversation([user({ inlineData: { mimeType: "image/png", data: "AAAA" } })]),
      { changes: { refused: strict({ decodeImages: true }) } },
    ],
    "file-unknown": [
      "How is a file refused that nobody uploaded?",
      "E-74, fileState",
      conversation([
        user({
          fileData: {
            mimeType: "image/png",
            fileUri: "https://generativelanguage.googleapis.com/v1beta/files/madeupbypnpmlive",
          },
        }),
      ]),
      DEV,
    ],
    "text-empty": ["Is an empty text taken?", "empty texts", conversation([user(text(""))])],
    "model-adjacent": [
      "Are two contents of the model in a row taken?",
      "adjacent contents of the model",
      conversation([model(text("b")), model(text("c")), user(text("d"))]),
    ],
    "signature-alone": [
      "Is a part taken that holds only a signature?",
      "E-06, exceptions",
      conversation([model({ thoughtSignature: btoa(DUMMY) }), user(text("b"))]),
      EXCEPTIONS,
    ],
    "content-empty": [
      "Is a content of the model taken without parts?",
      "E-05, exceptions",
      conversation([{ role: "model" }, user(text("b"))]),
      EXCEPTIONS,
    ],
    "response-missing": [
      "Is a functionResponse taken without a response?",
      "E-18, exceptions",
      conversation([model(call()), user({ functionResponse: { id: "a", name: "clock" } })]),
      EXCEPTIONS,
    ],
  }),
];
