import { type Case, contents, TURN } from "./build.ts";
import { answer, call, model, text, user } from "../request.ts";

const missing = (name: string, position: number) =>
  `Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance. Additional data, function call \`default_api:${name}\` , position ${position}. Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details.`;
const missingOnVertex = (name: string, position: number) =>
  `Unable to submit request because function call \`default_api:${name}\` in the ${position}. content block is missing a \`thought_signature\`. Learn more: https://docs.cloud.google.com/vertex-ai/generative-ai/docs/thought-signatures`;
const step = (signature?: string) =>
  contents(user(text("q")), model(call("f", "a", signature)), user(answer("f", "a")));
const DUMMY_OF_DEVELOPER = "context_engineering_is_the_way_to_go";

export const SIGNATURES: readonly Case[] = [
  ["E-50", "an unsigned call", { body: step() }, missing("f", 2)],
  ["E-50", "an unsigned call on Vertex", { profile: "vertex", body: step() }, missingOnVertex("f", 2)],
  [
    "E-50",
    "an unsigned call in the second step",
    { body: contents(...TURN, user(answer("f", "a")), model(call("g", "b")), user(answer("g", "b"))) },
    missing("g", 4),
  ],
  [
    "E-50",
    "parallel calls sent back one by one (E-19)",
    { body: contents(...TURN, user(answer("f", "a")), model(call("f", "b")), user(answer("f", "b"))) },
    missing("f", 4),
  ],
  ["E-51", "a foreign signature", { body: step("foreign1") }, "Corrupted thought signature."],
  [
    "E-51",
    "the dummy of the Developer API on Vertex",
    { profile: "vertex", body: step(DUMMY_OF_DEVELOPER) },
    "Corrupted thought signature.",
  ],
  [
    "E-52",
    "an unsigned server-side call",
    {
      body: contents(
        user(text("q")),
        model({ toolCall: { id: "t", toolType: "GOOGLE_SEARCH_WEB" } }, call("f", "a", "SIG1")),
        user(answer("f", "a")),
      ),
    },
    "Tool call part is missing thought_signature",
  ],
  ["E-55", "the signature of another part", { body: step("moved123") }, "Corrupted thought signature."],
  [
    "E-55",
    "the signature of another text, when strict",
    {
      strict: { movedSignatures: "refuse" },
      body: contents(
        user(text("q")),
        model({ text: "a", thoughtSignature: "moved123" }, call("f", "a", "SIG1")),
        user(answer("f", "a")),
      ),
    },
    "Corrupted thought signature.",
  ],
];
