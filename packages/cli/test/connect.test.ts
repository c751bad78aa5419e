import { expect, test } from "vitest";
import { connect } from "../src/connect.ts";

test.each([
  { GOOGLE_API_KEY: "key" },
  { GEMINI_API_KEY: "key" },
  { COMETAPI_KEY: "key" },
  { GOOGLE_GENERATIVE_AI_API_KEY: "key" },
  { GOOGLE_GENAI_USE_VERTEXAI: "true" },
])("%o goes to a service", async (env) => {
  await using connection = await connect(env);
  expect(connection.emulated).toBe(false);
});

test.each([{}, { GEMINI_API_KEY: "" }, { GOOGLE_GENAI_USE_VERTEXAI: "false" }])(
  "%o goes to an emulator",
  async (env) => {
    await using connection = await connect(env);
    expect(connection.emulated).toBe(true);
  },
);
