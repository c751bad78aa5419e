import { ConfigurationError } from "@pollux/core";
import { loadOptional } from "@pollux/core/tool";
import { expect, test } from "vitest";

const use = { user: "the calculator", packages: ["mathjs", "@scope/units"] };

const notFound = (message: string, code = "ERR_MODULE_NOT_FOUND"): Error => Object.assign(new Error(message), { code });

/** What is thrown when loading fails with this. */
async function thrown(error: unknown): Promise<unknown> {
  const load = async (): Promise<never> => {
    throw error;
  };
  try {
    return await loadOptional(use, load);
  } catch (reason) {
    return reason;
  }
}

test("what is loaded is returned", async () => {
  expect(await loadOptional(use, async () => 3)).toBe(3);
});

test.each([
  notFound("Cannot find package 'mathjs' imported from /app/node_modules/@pollux/tools/dist/engine.js"),
  notFound("Cannot find module '@scope/units/big'\nRequire stack: ...", "MODULE_NOT_FOUND"),
  notFound('Cannot find package "mathjs" from "/app/engine.js"'),
])("a missing package is named, with all that have to be installed: %s", async (cause) => {
  const error = await thrown(cause);
  expect(error).toBeInstanceOf(ConfigurationError);
  expect(error).toMatchObject({
    message: "the calculator needs packages that are not installed: npm install mathjs @scope/units",
    cause,
  });
});

test.each([
  notFound("Cannot find package 'mathjs-extra' imported from /app/engine.js"),
  notFound("Cannot find module '/app/own-file.js' imported from /app/engine.js"),
  new Error("Cannot find package 'mathjs'"),
  "no error",
])("anything else is thrown as it is: %s", async (error) => {
  expect(await thrown(error)).toBe(error);
});

test("the advice may be another one", async () => {
  const advice = (names: string): string => `npx -p ${names}`;
  const load = loadOptional({ user: "It", packages: ["mathjs"], advice }, () =>
    Promise.reject(notFound("Cannot find package 'mathjs' imported from x")),
  );
  await expect(load).rejects.toThrow("It needs a package that is not installed: npx -p mathjs");
});
