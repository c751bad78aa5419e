import { expect, test } from "vitest";
import * as agentErrors from "../../src/errors/agent-error.ts";
import * as apiErrors from "../../src/errors/api-errors.ts";
import * as runErrors from "../../src/errors/run-errors.ts";
import * as sessionErrors from "../../src/errors/session-errors.ts";

const CLASSES = Object.entries({ ...agentErrors, ...apiErrors, ...runErrors, ...sessionErrors }).filter(
  // Not the bases, which nobody throws.
  ([name]) => /^[A-Z]/.test(name) && !["KnownError", "AgentError", "SessionError"].includes(name),
);

test.each(CLASSES)("%s keeps its name when a minifier renames the class", (name, value) => {
  // A static member that is written out, not the name that a class has by itself.
  expect(Object.getOwnPropertyDescriptor(value, "name")).toMatchObject({ value: name, enumerable: true });
  // Arrays stand in for the lists and objects some constructors take.
  const error: unknown = Reflect.construct(value, ["a message", [], [], []]);
  expect(error).toMatchObject({ name });
  expect(CLASSES.length).toBeGreaterThan(30);
});
