import { type Case, ROOT, contents, parts, TURN } from "./build.ts";
import { answer, call, model, text, user } from "../request.ts";

const COUNTS =
  "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.";
const CALL_TURN =
  "Please ensure that function call turn comes immediately after a user turn or after a function response turn.";
const RESPONSE_TURN = "Please ensure that function response turn comes immediately after a function call turn.";
const ENDING = "Requests ending with a model turn are not supported.";
const FILE = parts({ fileData: { fileUri: "https://x/files/abc", mimeType: "image/png" } });

export const CONTENTS: readonly Case[] = [
  ["E-04", "no contents", { body: {} }, `${ROOT}.contents: contents is not specified`],
  ["E-04", "no body", { body: "" }, `${ROOT}.contents: contents is not specified`],
  [
    "E-04",
    "no contents to count",
    { body: { contents: [] }, verb: "countTokens" },
    "* CountTokensRequest.contents: contents is not specified",
  ],
  [
    "E-05",
    "no parts",
    { body: contents(user(text("a")), user()) },
    `${ROOT}.contents[1].parts: contents.parts must not be empty.`,
  ],
  [
    "E-06",
    "an empty part",
    { body: parts(text("a"), {}) },
    `${ROOT}.contents[0].parts[1].data: required oneof field 'data' must have one initialized field`,
  ],
  [
    "E-06",
    "a signature alone",
    { body: contents(user(text("a")), model({ thoughtSignature: "AAAA" }), user(text("b"))) },
    `${ROOT}.contents[1].parts[0].data: required oneof field 'data' must have one initialized field`,
  ],
  [
    "E-16",
    "a response without name",
    { body: contents(...TURN, user({ functionResponse: { response: {} } })) },
    `${ROOT}.contents[2].parts[0].function_response.name: Name cannot be empty.`,
  ],
  [
    "E-08",
    "role assistant",
    { body: contents({ role: "assistant", parts: [text("a")] }) },
    "Please use a valid role: user, model.",
  ],
  [
    "E-08",
    "no role on Vertex",
    { profile: "vertex", body: contents({ parts: [text("a")] }) },
    "Please use a valid role: user, model.",
  ],
  [
    "E-08",
    "role function on newer models",
    { body: contents(...TURN, { role: "function", parts: [answer("f", "a")] }) },
    "Please use a valid role: user, model.",
  ],
  [
    "E-09",
    "an empty text",
    { profile: "vertex", model: "gemini-2.5-flash", body: parts(text("")) },
    "Unable to submit request because it has an empty text parameter. Add a value to the parameter and try again. Learn more: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/gemini",
  ],
  [
    "E-10",
    "one answer to two calls",
    { body: contents(user(text("q")), model(call("f", "a", "SIG1"), call("f", "b")), user(answer("f", "a"))) },
    COUNTS,
  ],
  ["E-10", "no answer", { body: contents(...TURN, user(text("well?"))) }, COUNTS],
  [
    "E-10",
    "no answer on 2.5",
    { model: "gemini-2.5-flash", body: contents(user(text("q")), model(call("f")), user(text("well?"))) },
    COUNTS,
  ],
  [
    "E-10",
    "one answer to two calls on 2.0",
    { model: "gemini-2.0-flash", body: contents(user(text("q")), model(call("f"), call("f")), user(answer("f"))) },
    COUNTS,
  ],
  [
    "E-10",
    "an answer to a call that the service answered itself",
    { body: contents(user(text("q")), model(call("f", "a", "SIG1"), answer("f", "a")), user(answer("f", "a"))) },
    COUNTS,
  ],
  [
    "E-10",
    "answers in two contents",
    {
      body: contents(
        user(text("q")),
        model(call("f", "a", "SIG1"), call("f", "b")),
        user(answer("f", "a")),
        user(answer("f", "b")),
      ),
    },
    COUNTS,
  ],
  [
    "E-10",
    "an open call at the end of a prefill model's history",
    { model: "gemini-2.5-flash", body: contents(user(text("q")), model(call("f"))) },
    COUNTS,
  ],
  ["E-11", "a call first", { body: contents(model(call("f", "a", "SIG1")), user(answer("f", "a"))) }, CALL_TURN],
  [
    "E-12",
    "an answer to nothing",
    { body: contents(user(text("q")), model(text("a")), user(answer("f"))) },
    RESPONSE_TURN,
  ],
  ["E-12", "an answer first", { body: parts(answer("f")) }, RESPONSE_TURN],
  ["E-13", "a model turn last", { body: contents(user(text("q")), model(text("a"))) }, ENDING],
  [
    "E-13",
    "a model turn last on 3.5-flash-lite",
    { model: "gemini-3.5-flash-lite", body: contents(user(text("q")), model(text("a"))) },
    ENDING,
  ],
  [
    "E-13",
    "a model turn last on 4",
    { model: "gemini-4-argon", body: contents(user(text("q")), model(text("a"))) },
    ENDING,
  ],
  ["E-14", "text after a response", { body: contents(...TURN, user(answer("f", "a"), text("go on"))) }, ENDING],
  [
    "E-14",
    "text after a response on Vertex 3",
    {
      profile: "vertex",
      model: "gemini-3-flash-preview",
      body: contents(...TURN, user(answer("f", "a"), text("go on"))),
    },
    ENDING,
  ],
  [
    "E-14",
    "text after a response on 3.5 when asked to be strict",
    {
      model: "gemini-3.5-flash",
      strict: { mixedResponses: "refuse" },
      body: contents(...TURN, user(answer("f", "a"), text("go on"))),
    },
    ENDING,
  ],
  ["E-15", "another id", { body: contents(...TURN, user(answer("f", "b"))) }, COUNTS],
  ["E-15", "another name", { body: contents(...TURN, user(answer("g", "a"))) }, COUNTS],
  [
    "E-15",
    "another id beside none",
    {
      body: contents(
        user(text("q")),
        model(call("f", "a", "SIG1"), call("f", "b")),
        user(answer("f"), answer("f", "c")),
      ),
    },
    COUNTS,
  ],
  ["E-15", "another name without an id", { body: contents(...TURN, user(answer("g"))) }, COUNTS],
  [
    "E-15",
    "an id dropped, when asked to be strict",
    { model: "gemini-3.5-flash", strict: { responseMatching: "refuse" }, body: contents(...TURN, user(answer("f"))) },
    COUNTS,
  ],
  ["E-19b", "a response from the model", { body: contents(user(text("q")), model(answer("f"))) }, RESPONSE_TURN],
  [
    "E-19b",
    "a response from the model to another call",
    { body: contents(user(text("q")), model(call("f", "a", "SIG1"), answer("g", "b")), user(answer("f", "a"))) },
    RESPONSE_TURN,
  ],
  ["E-19b", "a call from the user", { body: contents(user(call("f")), user(answer("f"))) }, CALL_TURN],
  [
    "E-72",
    "a file being processed",
    { body: FILE, strict: { fileState: () => "processing" } },
    "The File abc is not in an ACTIVE state and usage is not allowed.",
  ],
  [
    "E-74",
    "a file of another owner",
    { body: FILE, strict: { fileState: () => "forbidden" } },
    "You do not have permission to access the File abc or it may not exist.",
    403,
  ],
  [
    "E-75",
    "an image that is none",
    { body: parts({ inlineData: { mimeType: "image/png", data: "AAAA" } }), strict: { decodeImages: true } },
    "Unable to process input image. Please retry or report in https://developers.generativeai.google/guide/troubleshooting",
  ],
  [
    "E-76",
    "a zip file",
    { body: parts({ inlineData: { mimeType: "application/zip", data: "AAAA" } }) },
    "Unsupported MIME type: application/zip",
  ],
  [
    "E-76",
    "a Word file on Argon",
    { model: "gemini-4-argon", body: parts({ inlineData: { mimeType: "application/msword", data: "AAAA" } }) },
    "Unsupported MIME type: application/msword",
  ],
  [
    "E-77",
    "a prompt over the window",
    { body: parts(text("x".repeat(4_400_000))) },
    "The input token count (1100000) exceeds the maximum number of tokens allowed (1048576).",
  ],
  [
    "E-79",
    "an address closed to robots",
    { profile: "vertex", body: FILE, strict: { fileState: () => "robots" } },
    "Cannot fetch content from the provided URL. Please ensure the URL is valid and accessible by Vertex AI. Vertex AI respects robots.txt rules, so confirm the URL is allowed to be crawled. Status: URL_ROBOTED-ROBOTED_DENIED",
  ],
];
