import { type Case } from "./build.ts";

const OAUTH =
  "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.";
const notFound = (id: string, verb: string) =>
  `models/${id} is not found for API version v1beta, or is not supported for ${verb}. Call ModelService.ListModels to see the list of available models and their supported methods.`;

export const TRANSPORT: readonly Case[] = [
  ["A-7", "GET on a POST method", { method: "GET" }, "(HTML)", 404],
  [
    "A-7",
    "a version the gateway does not serve",
    { profile: "comet", path: "/v1/models/gemini-3.8-flash:generateContent" },
    "(HTML)",
    404,
  ],
  ["A-7", "an unknown path", { path: "/v1beta/nothing" }, "(HTML)", 404],
  [
    "A-7",
    "a Developer API path on Vertex",
    { profile: "vertex", path: "/v1beta/models/gemini-3.8-flash:generateContent" },
    "(HTML)",
    404,
  ],
  [
    "A-1",
    "no key",
    { headers: {} },
    "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.",
    403,
  ],
  ["A-2", "a bad key", { headers: { "x-goog-api-key": "bad-key" } }, "API key not valid. Please pass a valid API key."],
  ["A-2", "a key not on the list", { keys: ["other"] }, "API key not valid. Please pass a valid API key."],
  ["A-2", "an expired key", { headers: { "x-goog-api-key": "expired" } }, "API key expired. Please renew the API key."],
  [
    "A-2",
    "a bad key in the query",
    { headers: {}, path: "/v1beta/models/gemini-3.8-flash:generateContent?key=invalid" },
    "API key not valid. Please pass a valid API key.",
  ],
  [
    "A-3",
    "a leaked key",
    { headers: { "x-goog-api-key": "leaked" } },
    "Your API key was reported as leaked. Please use another API key.",
    403,
  ],
  ["A-4", "an API key as Bearer", { headers: { authorization: "Bearer AIzaKey" } }, OAUTH, 401],
  ["A-4", "a bad token on Vertex", { profile: "vertex", headers: { authorization: "Bearer bad" } }, OAUTH, 401],
  [
    "A-5",
    "a bad key at the gateway",
    { profile: "comet", headers: { authorization: "Bearer bad" } },
    "Invalid token (request id: 20261121000000000emulated)",
    401,
  ],
  [
    "A-5",
    "no key at the gateway",
    { profile: "comet", headers: {} },
    "No token provided (request id: 20261121000000000emulated)",
    401,
  ],
  [
    "A-6",
    "a region without service",
    { strict: { regionSupported: false } },
    "User location is not supported for the API use.",
  ],
  ["E-70", "an unknown model", { model: "gemini-9-quartz" }, notFound("gemini-9-quartz", "generateContent"), 404],
  [
    "E-70",
    "an unknown model while counting",
    { model: "nope", verb: "countTokens" },
    notFound("nope", "countTokens"),
    404,
  ],
  ["E-70", "an unknown method", { verb: "embedContent" }, notFound("gemini-3.8-flash", "embedContent"), 404],
  [
    "E-70",
    "a stream of a model without streaming",
    { model: "gemini-nano-banana-2.1", verb: "streamGenerateContent" },
    notFound("gemini-nano-banana-2.1", "generateContent"),
    404,
  ],
  [
    "E-70",
    "an unknown model on Vertex",
    { profile: "vertex", model: "nope" },
    "Publisher Model `projects/p/locations/global/publishers/google/models/nope` not found.",
    404,
  ],
  [
    "E-70",
    "a model that was shut down",
    { model: "gemini-2.0-flash", strict: { retiredModels: "refuse" } },
    notFound("gemini-2.0-flash", "generateContent"),
    404,
  ],
  [
    "E-71",
    "a model closed to new users",
    { model: "gemini-2.5-flash", strict: { retiredModels: "refuse" } },
    "This model models/gemini-2.5-flash is no longer available to new users. Please update your code to use models/gemini-3.6-flash, and consider the Interactions API.",
    404,
  ],
  [
    "E-73",
    "an unknown model at the gateway",
    { profile: "comet", model: "nope" },
    "No available channel for model nope under group default (distributor) (request id: 20261121000000000emulated)",
    503,
  ],
  [
    "E-78",
    "a body over the limit",
    { strict: { maxBodyBytes: 10 } },
    "Request payload size exceeds the limit: 10 bytes. Please reduce the size of the request, or upload large files with the Files API.",
  ],
  [
    "E-78",
    "a body over the limit on Vertex",
    { profile: "vertex", strict: { maxBodyBytes: 10 } },
    "Request payload size exceeds the limit: 10 bytes. Please reduce the size of the request, or upload large files with the Files API.",
    413,
  ],
];
