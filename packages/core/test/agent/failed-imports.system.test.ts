import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

/** The first load of each of two files fails, as when a page loses its network. Prints what each attempt gives. */
const PROGRAM = `
import { registerHooks } from "node:module";
import { Agent, defineTool, MemoryStore } from "@pollux/core";
import { say, ScriptedModel } from "@pollux/core/testing";

const fails = new Set(["session-runtime.ts", "validator.ts"]);
registerHooks({
  load(url, context, next) {
    if (fails.delete(url.split("/").at(-1))) throw new Error("no network");
    return next(url, context);
  },
});
const attempts = async (work) => [await work().then(() => "done", String), await work().then(() => "done", String)];

const agent = new Agent({ model: new ScriptedModel(say("Hello.")) });
const tool = defineTool({
  name: "look",
  description: "Looks.",
  input: { type: "object", properties: { place: { type: "string" } } },
});
const before = agent.session({ store: new MemoryStore() });
const session = before.as(agent);
console.log(JSON.stringify({
  session: await attempts(() => session.send("Hi")),
  check: await attempts(() => tool.parse({ place: "here" })),
}));
`;

test("a session and the check of a schema whose code fails to load try again with the next call", async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--conditions=pollux-source", "--input-type=module", "-e", PROGRAM],
    { cwd: fileURLToPath(new URL("../..", import.meta.url)) },
  );
  const outcomes = ["Error: no network", "done"];
  expect(JSON.parse(stdout)).toEqual({ session: outcomes, check: outcomes });
});
