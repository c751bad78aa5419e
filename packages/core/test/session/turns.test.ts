import { Agent, type CompactionOptions, defineTool, type Json, MemoryStore } from "@pollux/core";
import { SessionStoreError } from "@pollux/core/errors";
import { call, calls, say, ScriptedModel, type ScriptLine } from "@pollux/core/testing";
import { expect, test } from "vitest";

const look = defineTool({ name: "look", description: "Looks.", run: () => "seen" });

type Entry = {
  readonly type: string;
  readonly place?: { readonly kind: string };
  readonly [member: string]: unknown;
};

/** Keeps what each append brought; fails where it is told to. */
class AppendsStore extends MemoryStore {
  readonly appends: string[][] = [];
  failsAt: number | undefined;
  failsOn: ((entry: Entry) => boolean) | undefined;

  override async append(...given: Parameters<MemoryStore["append"]>): Promise<void> {
    const [, , entries] = given;
    this.appends.push(entries.map((entry) => (entry as unknown as Entry).type));
    const isBad = entries.some((entry) => this.failsOn?.(entry as unknown as Entry));
    if (isBad || this.appends.length === this.failsAt) throw new Error("disk full");
    await super.append(...given);
  }

  async entries(): Promise<readonly Entry[]> {
    return (await this.load("s")) as unknown as readonly Entry[];
  }
}

test("a turn is written when the next one records something, in the same append; the last turns are in the end", async () => {
  const store = new AppendsStore();
  const model = new ScriptedModel(calls("look", "look"), call("look"), say("Done."), say("Hi."));
  const session = new Agent({ model, tools: [look] }).session({ id: "s", store });
  await session.send("Go.", { runId: "r" });
  expect(store.appends).toEqual([
    ["run"],
    ["step"],
    ["step"],
    ["step"],
    ["turn", "step"],
    ["step"],
    ["turn", "step"],
    ["end"],
  ]);
  const entries = await store.entries();
  expect(entries.filter(({ type }) => type === "turn")).toEqual([
    expect.objectContaining({
      runId: "r",
      turn: 1,
      contents: [{ model: "model:1" }, { calls: ["call:1.0", "call:1.1"] }],
      steps: [{ step: "model:1" }],
      calls: [
        { callId: "call:1.0", step: "call:1.0" },
        { callId: "call:1.1", step: "call:1.1" },
      ],
    }),
    expect.objectContaining({ turn: 2, contents: [{ model: "model:2" }, { calls: ["call:2.0"] }] }),
  ]);
  expect(entries.at(-1)).toMatchObject({
    type: "end",
    open: [{ turn: 3, contents: [{ model: "model:3" }], calls: [] }],
  });
  store.appends.length = 0;
  await session.send("Hello.");
  expect(store.appends).toEqual([["run"], ["step"], ["end"]]);
});

test("a turn whose append failed is written with the run's end", async () => {
  const store = new AppendsStore();
  const session = new Agent({ model: new ScriptedModel(call("look"), say("Done.")), tools: [look] }).session({
    id: "s",
    store,
  });
  store.failsAt = 4;
  await expect(session.send("Go.")).rejects.toThrow(SessionStoreError);
  expect(store.appends).toEqual([["run"], ["step"], ["step"], ["turn", "step"], ["turn", "end"]]);
  expect((await store.entries()).map(({ type }) => type)).toEqual(["run", "step", "step", "turn", "end"]);
  expect(await session.history()).toHaveLength(3);
});

test("a resumed run goes on after its closed turns: their steps are not asked for again", async () => {
  const store = new AppendsStore();
  const open = (...lines: readonly ScriptLine[]) =>
    new Agent({ model: new ScriptedModel(...lines), tools: [look] }).session({ id: "s", store });
  await expect(open(call("look"), call("look")).send("Go.", { runId: "r" })).rejects.toThrow();
  // As another version of the loop would have named the steps of what is closed.
  const other = new MemoryStore();
  const renamed = JSON.stringify((await store.entries()).filter(({ type }) => type !== "end"))
    .replaceAll('"model:1"', '"ask-1"')
    .replaceAll('"step":"call:1.0"', '"step":"made-1"');
  await other.append("s", 0, JSON.parse(renamed) as Json[]);
  const model = new ScriptedModel(say("Done."));
  const session = new Agent({ model, tools: [look] }).session({ id: "s", store: other });
  const result = await session.resume();
  expect(result).toMatchObject({ text: "Done.", turns: 3, usage: { requests: 3 } });
  expect(result.toolCalls).toMatchObject([{ callId: "call:1.0" }, { callId: "call:2.0" }]);
  expect(model.requests[0]?.contents).toHaveLength(5);
  expect(await session.history()).toEqual(result.contents);
});

test("a run of another version of the loop is resumed when all of its turns are closed", async () => {
  const store = new AppendsStore();
  const model = new ScriptedModel(call("look"), call("look"));
  await expect(new Agent({ model, tools: [look] }).session({ id: "s", store }).send("Go.")).rejects.toThrow();
  const entries = (await store.entries()).filter(({ type }) => type !== "end");
  const closed = entries.findLastIndex(({ type }) => type === "turn");
  const copy = async (log: readonly Entry[]) => {
    const other = new MemoryStore();
    const older = log.map((entry) => (entry.type === "run" ? { ...entry, loop: 1 } : entry));
    await other.append("s", 0, older as unknown as Json[]);
    return new Agent({ model: new ScriptedModel(say("Done.")), tools: [look] }).session({ id: "s", store: other });
  };
  expect(await (await copy(entries)).resume()).toMatchObject({ text: "Done.", turns: 3 });
  const open = await copy(entries.slice(0, closed));
  await expect(open.resume()).rejects.toThrow("was started by loop version 1");
  expect(await open.send("Well?")).toMatchObject({ text: "Done." });
});

test.each<[string, readonly ScriptLine[], string]>([
  ["before the model answered", [say("Summary.")], "model"],
  ["before its end was written", [say("Summary."), say("Third.")], "end"],
])("a summary of a run that died %s stays what the next run sends", async (_when, lines, last) => {
  const store = new AppendsStore();
  const open = (script: readonly ScriptLine[], compaction: CompactionOptions | false = false) => {
    const model = new ScriptedModel(...script);
    return { model, session: new Agent({ model, compaction }).session({ id: "s", store }) };
  };
  for (const text of ["One.", "Two."]) await open([say(text)]).session.send(text);
  const dead = open(lines, { windowTokens: 1000, policy: ({ boundaries }) => boundaries.at(-1) });
  store.failsOn = ({ type, place }) => type === "end" || (last === "model" && place?.kind === "model");
  await expect(dead.session.send("Three.")).rejects.toThrow();
  store.failsOn = undefined;
  const { model, session } = open([say("Four."), say("Five.")]);
  for (const text of ["Four.", "Five."]) await session.send(text);
  const [first, second] = model.requests.map(({ contents }) => contents);
  expect(first?.map(({ parts }) => parts[0]?.text)).toEqual([
    expect.stringContaining("Summary."),
    "Three.",
    ...(last === "end" ? ["Third."] : []),
    "Four.",
  ]);
  expect(second?.slice(0, first?.length)).toEqual(first);
});

test("a run that died after its answer was converted to a schema asks for nothing more, whatever the model can do now", async () => {
  const store = new AppendsStore();
  const open = (outputWithFunctions: boolean, ...script: readonly ScriptLine[]) => {
    const model = ScriptedModel.with({ capabilities: { outputWithFunctions } }, ...script);
    return new Agent({ model, tools: [look] }).session({ id: "s", store });
  };
  store.failsOn = ({ type }) => type === "end";
  const dead = open(false, call("look"), say("Prose."), say('{"a":1}')).send("Go.", { output: "json" });
  await expect(dead).rejects.toThrow();
  store.failsOn = undefined;
  const resumed = await open(true).resume({ output: "json" });
  expect(resumed).toMatchObject({ stopReason: "finished", text: "Prose.", output: { a: 1 }, turns: 3 });
  expect(await open(true).continue({ output: "json" })).toMatchObject({ text: "Prose.", output: { a: 1 }, turns: 3 });
});
