import { expect, test } from "vitest";
import * as agentErrors from "../../src/errors/agent-error.ts";
import * as apiErrors from "../../src/errors/api-errors.ts";
import * as runErrors from "../../src/errors/run-errors.ts";

const CLASSES = Object.entries({ ...agentErrors, ...apiErrors, ...runErrors }).filter(
  // Not the bases, which nobody throws.
  ([name]) => /^[A-Z]/.test(name) && name !== "AgentError" && name !== "SessionError",
);

test.each(CLASSES)("%s keeps its name when a minifier renames the class", (name, value) => {
  // Constructed as a class of another name. Arrays stand in for the lists and objects some constructors take.
  const error: unknown = Reflect.construct(value, ["a message", [], [], []], Map);
  expect(error).toMatchObject({ name });
  expect(CLASSES.length).toBeGreaterThan(20);
});
