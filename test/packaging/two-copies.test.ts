import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as core from "@pollux/core";
import * as errors from "@pollux/core/errors";
import * as testing from "@pollux/core/testing";
import { defineEval, runEval } from "@pollux/evals";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { faces } from "../../packages/core/test/helpers/faces.ts";

const source = fileURLToPath(new URL("../../packages/core/src/", import.meta.url));
let folder: string;
let copy: typeof core & typeof errors & typeof testing;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pollux-copy-"));
  const entry = join(source, "copy.js");
  const build = await rolldown({
    input: entry,
    platform: "node",
    logLevel: "silent",
    resolve: { conditionNames: ["pollux-source", "import", "default"] },
    plugins: [
      {
        name: "copy",
        resolveId: (id) => (id === entry ? id : undefined),
        load: (id) =>
          id === entry
            ? 'export * from "./index.ts"; export * from "./errors/index.ts"; export * from "./testing/index.ts";'
            : undefined,
      },
    ],
  });
  // Minified, so that no class keeps its own name.
  await build.write({
    dir: folder,
    format: "esm",
    minify: true,
    entryFileNames: "copy.mjs",
    chunkFileNames: "[name].mjs",
  });
  await build.close();
  // It exports everything from the three modules.
  copy = (await import(pathToFileURL(join(folder, "copy.mjs")).href)) as typeof copy;
});
afterAll(() => rm(folder, { recursive: true }));

type ErrorClass = (abstract new () => Error) & { readonly name: string };

const isError = (value: unknown): value is ErrorClass =>
  typeof value === "function" && value.prototype instanceof Error;
const NAMES = Object.entries(errors).flatMap(([name, value]) =>
  isError(value) && name !== "RunSuspended" ? [name] : [],
);

function classesOf(one: typeof errors): ReadonlyMap<string, ErrorClass> {
  const members: Readonly<Record<string, unknown>> = one;
  return new Map(NAMES.flatMap((name) => (isError(members[name]) ? [[name, members[name]] as const] : [])));
}

/** Arrays replace the lists and objects that some constructors expect. */
const made = (type: ErrorClass | undefined): unknown => Reflect.construct(type ?? Error, ["a message", [], [], []]);

describe("an error of another copy of the package", () => {
  test("is an instance of its own class and its bases only, in both directions", () => {
    const [ours, theirs] = [classesOf(errors), classesOf(copy)];
    expect(NAMES.length).toBeGreaterThan(30);
    const matches = (from: typeof ours, to: typeof ours) =>
      NAMES.filter((name) => name !== "AgentError").map((name) => {
        const error = made(from.get(name));
        return [name, NAMES.filter((other) => error instanceof (to.get(other) ?? Map))];
      });
    const own = NAMES.filter((name) => name !== "AgentError").map((name) => {
      const isBare = name === "ToolError" || name === "ModelRetry";
      return [name, NAMES.filter((other) => other === name || (other === "AgentError" && !isBare))];
    });
    expect(ours.get("ApiStatusError")).not.toBe(theirs.get("ApiStatusError"));
    expect(matches(ours, theirs)).toEqual(own);
    expect(matches(theirs, ours)).toEqual(own);
    expect(matches(ours, ours)).toEqual(own);
  });

  test("is no instance of a class that an application makes of one of ours, nor is a stranger's error of ours", () => {
    class Mine extends core.ConfigurationError {}
    class Stranger extends Error {
      override readonly name = "ConfigurationError";
      readonly code = "configuration";
    }
    expect(new copy.ConfigurationError("a") instanceof Mine).toBe(false);
    expect(new core.ConfigurationError("a") instanceof Mine).toBe(false);
    expect(new Mine("a") instanceof copy.ConfigurationError).toBe(true);
    expect(new Stranger("a") instanceof core.ConfigurationError).toBe(false);
    for (const value of [
      undefined,
      null,
      "a",
      {},
      Object.create(null),
      Object.assign(new Error("a"), { constructor: 1 }),
    ])
      expect(value instanceof core.AgentError).toBe(false);
  });
});

describe.each(faces)("parts of two copies in one agent, read by %s", (_name, face) => {
  test("a tool of the other copy fails, asks for a retry and returns media", async () => {
    const results: Readonly<Record<string, () => unknown>> = {
      fail: () => {
        throw new copy.ToolError("closed");
      },
      retry: () => {
        throw new copy.ModelRetry("use ISO dates");
      },
      draw: () => copy.media("aGk=", "image/png"),
    };
    const tools = Object.entries(results).map(([name, run]) => copy.defineTool({ name, description: name, run }));
    const model = new copy.ScriptedModel(
      copy.calls({ name: "fail" }, { name: "retry" }, { name: "draw" }),
      copy.say("Done."),
    );
    const { contents, text } = await face(new core.Agent({ model, tools }), "Go.");
    expect(text).toBe("Done.");
    expect(contents[2]?.parts.map((part) => part.functionResponse?.response)).toEqual([
      { error: "closed" },
      { error: "use ISO dates" },
      { output: "[media 1: image/png]" },
    ]);
  });

  test("a model of the other copy fails with an error that is one of ours, with the run so far", async () => {
    const refusal = new copy.ApiStatusError("overloaded", { status: 503, retryable: true });
    const model = new copy.ScriptedModel(copy.fails(refusal));
    const failed = await face(new core.Agent({ model }), "Go.").catch((error: unknown) => error);
    expect(failed instanceof core.ApiStatusError && failed.status).toBe(503);
    expect(core.runSoFar(failed)?.turns).toBe(1);
    expect(copy.runSoFar(failed)?.turns).toBe(1);
  });
});

test("two sessions of ours share a store of the other copy, whose conflicts they understand", async () => {
  const store = new copy.MemoryStore();
  const agent = new core.Agent({
    model: new testing.ScriptedModel(...["1", "2", "3"].map((text) => testing.say(text))),
  });
  const [a, b] = [agent.session({ id: "s", store }), agent.session({ id: "s", store })];
  const texts: string[] = [];
  for (const session of [a, b, a]) texts.push((await session.send("Go.")).text);
  expect(texts).toEqual(["1", "2", "3"]);
});

test("an eval runs an agent of the other copy", async () => {
  const model = () => new copy.ScriptedModel(copy.say("Hello."));
  const suite = { scorers: [({ text }: { text: string }) => text === "Hello."], data: [{ id: "hi", input: "Hi" }] };
  for (const agent of [new copy.Agent({ model: model() }), () => new copy.Agent({ model: model() })]) {
    const [run] = await runEval(defineEval("greeting", { ...suite, agent, world: "live", trials: 1 }));
    expect(run?.cases[0]).toMatchObject({ id: "hi", trials: [{ status: "passed" }] });
  }
});
