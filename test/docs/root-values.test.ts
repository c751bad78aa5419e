import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as core from "@pollux/core";
import { expect, test } from "vitest";
import { ROOT } from "./support/pages.ts";
import { snippets } from "./support/snippets.ts";

test("core's root has no more than 60 values, each of which an executed example or guide uses", () => {
  const examples = globSync(["examples/*.ts", "examples/quickstart/*.ts"], { cwd: ROOT }).map((file) =>
    readFileSync(join(ROOT, file), "utf8"),
  );
  const programs = [...examples, ...snippets().map(({ code }) => code)].join("\n");
  const values = Object.keys(core);
  expect(values.length).toBeLessThanOrEqual(60);
  expect(values.filter((name) => !new RegExp(`\\b${name}\\b`).test(programs))).toEqual([]);
});
