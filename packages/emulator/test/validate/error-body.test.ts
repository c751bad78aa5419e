import { expect, test } from "vitest";
import { type Asked, ask, HELLO } from "./request.ts";

const UNKNOWN = { generationConfig: { foo: 1 }, ...HELLO, bar: 2 };

function refusal(asked: Asked): {
  readonly status: number;
  readonly type: string | undefined;
  readonly body: unknown;
  readonly raw: string;
} {
  const verdict = ask(asked);
  if (verdict.ok) throw new Error("was accepted");
  const { status, headers, body } = verdict.refusal;
  return {
    status,
    type: headers?.["content-type"],
    body: body.startsWith("<") ? undefined : JSON.parse(body),
    raw: body,
  };
}

test("all violations of a body come in one message and one list", () => {
  const lines = [
    `Invalid JSON payload received. Unknown name "foo" at 'generation_config': Cannot find field.`,
    `Invalid JSON payload received. Unknown name "bar": Cannot find field.`,
  ];
  expect(refusal({ body: UNKNOWN }).body).toEqual({
    error: {
      code: 400,
      message: lines.join("\n"),
      status: "INVALID_ARGUMENT",
      details: [
        {
          "@type": "type.googleapis.com/google.rpc.BadRequest",
          fieldViolations: [{ field: "generation_config", description: lines[0] }, { description: lines[1] }],
        },
      ],
    },
  });
});

test("everything wrong with single fields comes in one message", () => {
  const body = {
    contents: [{ role: "user", parts: [] }],
    tools: [{ functionDeclarations: [{ name: "1" }] }],
    generationConfig: { maxOutputTokens: 0 },
  };
  const { error } = refusal({ body }).body as { error: { message: string; details?: unknown } };
  expect(error.message.split("\n").map((line) => line.split(":")[0])).toEqual([
    "* GenerateContentRequest.contents[0].parts",
    "* GenerateContentRequest.tools[0].function_declarations[0].name",
    "* GenerateContentRequest.generation_config.max_output_tokens",
  ]);
  expect(error.details).toBeUndefined();
});

test("a wrong key is explained like Google does, without the key", () => {
  const message = "API key not valid. Please pass a valid API key.";
  const { body, raw } = refusal({ headers: { "x-goog-api-key": "bad-secret" } });
  expect(raw).not.toContain("bad-secret");
  expect(body).toEqual({
    error: {
      code: 400,
      message,
      status: "INVALID_ARGUMENT",
      details: [
        {
          "@type": "type.googleapis.com/google.rpc.ErrorInfo",
          reason: "API_KEY_INVALID",
          domain: "googleapis.com",
          metadata: { service: "generativelanguage.googleapis.com" },
        },
        { "@type": "type.googleapis.com/google.rpc.LocalizedMessage", locale: "en-US", message },
      ],
    },
  });
});

test("a refused event stream is a bare object with the stream's content type", () => {
  const { status, type, body } = refusal({ verb: "streamGenerateContent?alt=sse", body: {} });
  expect({ status, type }).toEqual({ status: 400, type: "text/event-stream" });
  expect(body).toMatchObject({ error: { code: 400 } });
});

test("a refused stream without server-sent events is an array", () => {
  expect(refusal({ verb: "streamGenerateContent", body: {} })).toMatchObject({
    type: "application/json; charset=UTF-8",
    body: [{ error: { code: 400 } }],
  });
});

test("an unknown address is a page, with nothing of the address unescaped", () => {
  const { status, type, raw } = refusal({ path: "/v1beta/<script>" });
  expect({ status, type }).toEqual({ status: 404, type: "text/html; charset=UTF-8" });
  expect(raw).not.toContain("<script>");
});

test("the gateway speaks of errors in its own shape", () => {
  expect(refusal({ profile: "comet", model: "nope" })).toMatchObject({
    status: 503,
    body: { error: { type: "new_api_error", param: "", code: "model_not_found" } },
  });
  expect(refusal({ profile: "comet", body: {} })).toMatchObject({
    status: 400,
    body: {
      error: {
        message: "* GenerateContentRequest.contents: contents is not specified (request id: 20261121000000000emulated)",
        type: "upstream_error",
        param: "",
        code: "bad_response_status_code",
      },
    },
  });
});

test("rules are tried in the service's order", () => {
  const broken = { contents: [{ role: "assistant", parts: [{ text: "q" }] }], generationConfig: { candidateCount: 2 } };
  const rules = [
    ask({ path: "/nothing", headers: {}, model: "nope", body: "{" }),
    ask({ headers: {}, model: "nope", body: "{" }),
    ask({ model: "nope", body: "{" }),
    ask({ body: "{" }),
    ask({ body: { ...broken, foo: 1, contents: [] } }),
    ask({ body: { ...broken, contents: [] } }),
    ask({ body: broken }),
    ask({ body: { ...broken, generationConfig: {} } }),
  ].map((verdict) => (verdict.ok ? "accepted" : verdict.refusal.rule));
  expect(rules).toEqual(["A-7", "A-1", "E-70", "E-00", "E-01", "E-04", "E-44", "E-08"]);
});
