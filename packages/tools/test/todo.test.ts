import { Agent, MemoryStore, type RunEvent } from "@pollux/core";
import { call, calls, hangs, say, ScriptedModel } from "@pollux/core/testing";
import { type TodoItem, todoList, todosIn } from "@pollux/tools/todo";
import { describe, expect, test } from "vitest";

const PLAN = { items: [{ text: "Look" }, { text: " Write " }] };
const AS_SET = [
  { id: "1", text: "Look", status: "open" },
  { id: "2", text: "Write", status: "open" },
];

describe.each(["run", "stream"])("a plan, read by %s", (face) => {
  test("is written and changed, each result carries it whole, and the app reads it", async () => {
    const changes: (readonly TodoItem[])[] = [];
    const todo = todoList({ onChange: (items) => changes.push(items) });
    const model = new ScriptedModel(
      call("set_todos", PLAN),
      calls(
        { name: "update_todo", args: { id: "1", status: "done" } },
        { name: "update_todo", args: { id: "2", status: "doing", text: "Write it" } },
      ),
      call("update_todo", { id: "3" }),
      say("Done."),
    );
    const agent = new Agent({ model, tools: todo.tools });
    const events: RunEvent[] = [];
    const stream = agent.stream("Go.");
    if (face === "stream") for await (const event of stream) events.push(event);
    const { contents } = await stream.result();

    const middle = [{ id: "1", text: "Look", status: "done" }, AS_SET[1]];
    const last = [middle[0], { id: "2", text: "Write it", status: "doing" }];
    expect(
      contents.flatMap(({ parts }) =>
        parts.flatMap((part) => (part.functionResponse === undefined ? [] : [part.functionResponse.response])),
      ),
    ).toEqual([
      { output: { items: AS_SET } },
      { output: { items: middle } },
      { output: { items: last } },
      { error: 'there is no item "3": the plan has items 1 to 2' },
    ]);
    expect(todo.items).toEqual(last);
    expect(changes).toEqual([AS_SET, middle, last]);
    expect(todosIn(contents)).toEqual(last);
    if (face === "stream") {
      const progress = events.flatMap((event) => (event.type === "tool-progress" ? [event.progress] : []));
      expect(progress).toEqual([{ todo: AS_SET }, { todo: middle }, { todo: last }]);
    }
  });
});

test("a plan continues in another process: after an interrupted run, and in the next message", async () => {
  const store = new MemoryStore();
  const abort = new AbortController();
  const first = todoList();
  // By then the model has been asked a second time, and hangs.
  const cutOff = new ScriptedModel(call("set_todos", PLAN), () => (setImmediate(() => abort.abort()), hangs("Now")));
  const agent = new Agent({ model: cutOff, tools: first.tools });
  await expect(agent.session({ id: "s", store }).send("Go.", { signal: abort.signal })).rejects.toThrow();

  const model = new ScriptedModel(call("update_todo", { id: "2", status: "done" }), say("Done."));
  const other = new Agent({ model }).session({ id: "s", store });
  const second = todoList({ history: await other.history() });
  expect(second.items).toEqual(AS_SET);
  await other.resume({ tools: second.tools });
  expect(second.items).toEqual([AS_SET[0], { id: "2", text: "Write", status: "done" }]);

  const third = todoList();
  third.restore(await other.history());
  expect(third.items).toEqual(second.items);
});

test("a history without a plan has none, even with other calls in it", () => {
  const odd = (name: string, response: object) => ({
    role: "user" as const,
    parts: [{ functionResponse: { name, response: { ...response } } }],
  });
  expect(todosIn([])).toBeUndefined();
  expect(todosIn([odd("other", { output: { items: [] } }), odd("set_todos", { error: "no" })])).toBeUndefined();
  const todo = todoList({ history: [odd("set_todos", { output: { items: [] } })] });
  todo.restore([]);
  expect(todo.items).toEqual([]);
});

test("a plan that is too long is refused, and so is a bound that cannot be", async () => {
  const todo = todoList({ maxItems: 1 });
  const model = new ScriptedModel(call("set_todos", PLAN), call("update_todo", { id: "1" }), say("Done."));
  const { added } = await new Agent({ model, tools: todo.tools }).run("Go.");
  expect(added.flatMap(({ parts }) => parts.flatMap((part) => part.functionResponse?.response ?? []))).toEqual([
    { error: expect.stringContaining("items") },
    { error: 'there is no item "1": there is no plan yet; write one with set_todos' },
  ]);
  expect(todo.items).toEqual([]);
  expect(() => todoList({ maxItems: 0.5 })).toThrow("maxItems must be an integer of at least 1, got 0.5");
});
