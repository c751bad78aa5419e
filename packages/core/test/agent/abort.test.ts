import { getEventListeners } from "node:events";
import { Agent, defineTool, type RunOptions, runSoFar } from "@pollux/core";
import { RunAbandonedError } from "@pollux/core/errors";
import { calls, fails, hangs, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { faces } from "../helpers/faces.ts";
import { idle } from "../helpers/fake-time.ts";

const quick = defineTool({ name: "quick", description: "x", run: () => "done" });

describe.each(faces)("%s", (_face, read) => {
  const failure = async (agent: Agent, options?: RunOptions): Promise<unknown> =>
    read(agent, "Go.", options).then(
      () => undefined,
      (error: unknown) => error,
    );

  test("throws the caller's own reason, at once, also when a tool never settles", async () => {
    const abort = new AbortController();
    const reason = new Error("I changed my mind");
    let heard: unknown;
    const stuck = defineTool({
      name: "stuck",
      description: "x",
      run: (_input, { signal }) => {
        signal.addEventListener("abort", () => (heard = signal.reason));
        // The other call has ended by then.
        void idle().then(() => abort.abort(reason));
        return new Promise(() => {});
      },
    });
    const model = new ScriptedModel(calls("quick", "stuck"));
    expect(await failure(new Agent({ model, tools: [quick, stuck] }), { signal: abort.signal })).toBe(reason);
    expect(heard).toBe(reason);
    // What was done is kept, and every call is answered.
    expect(
      runSoFar(reason)
        ?.contents.at(-1)
        ?.parts.map((part) => part.functionResponse?.response),
    ).toEqual([{ output: "done" }, { error: "cancelled: the run ended before this call finished" }]);
    expect(getEventListeners(abort.signal, "abort")).toHaveLength(0);
  });

  test("ends a model that says nothing more", async () => {
    const abort = new AbortController();
    const model = new ScriptedModel(() => (void idle().then(() => abort.abort("stop")), hangs("Well")));
    expect(await failure(new Agent({ model }), { signal: abort.signal })).toBe("stop");
  });

  test("a signal that was aborted before makes no request", async () => {
    const model = new ScriptedModel(say("Hi."));
    expect(await failure(new Agent({ model }), { signal: AbortSignal.abort("early") })).toBe("early");
    expect(model.requests).toHaveLength(0);
  });

  test("a failure carries what was done by then", async () => {
    const down = new Error("down");
    const model = new ScriptedModel(calls({ name: "quick", id: "q" }), fails(down));
    const error = await failure(new Agent({ model, tools: [quick] }));
    expect(error).toBe(down);
    expect(runSoFar(error)).toMatchObject({ turns: 2, usage: { requests: 1 } });
    expect(runSoFar(error)?.contents).toHaveLength(3);
    expect(JSON.stringify(error)).toBe("{}"); // out of sight of loggers
  });
});

test("leaving the for-await ends the run: tools are aborted, and result() rejects with the work done so far", async () => {
  let heard = false;
  const stuck = defineTool({
    name: "stuck",
    description: "x",
    run: (_input, { signal }) => new Promise(() => signal.addEventListener("abort", () => (heard = true))),
  });
  const stream = new Agent({ model: new ScriptedModel(calls("stuck", "quick")), tools: [stuck, quick] }).stream("Go.");
  for await (const event of stream) if (event.type === "tool-end") break;
  expect(heard).toBe(true);
  const error = await stream.result().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(RunAbandonedError);
  expect(
    runSoFar(error)
      ?.contents.at(-1)
      ?.parts.map((part) => Object.keys(part.functionResponse?.response ?? {})),
  ).toEqual([["error"], ["output"]]);
});

test("a stream does nothing until it is read, and is read once", async () => {
  const model = new ScriptedModel(say("Hi."));
  const stream = new Agent({ model }).stream("Go.");
  await idle();
  expect(model.requests).toHaveLength(0);
  expect(stream.soFar).toBeUndefined();
  expect((await stream.result()).text).toBe("Hi.");
  expect(() => stream[Symbol.asyncIterator]()).toThrow(TypeError);
});

test("a slow reader slows the model down", async () => {
  let made = 0;
  const model = new ScriptedModel(say(...Array.from({ length: 1_000 }, () => "x")));
  const respond = model.respond.bind(model);
  model.respond = (request, options) =>
    respond(request, {
      ...options,
      onParts: (parts) => {
        made++;
        return options.onParts?.(parts);
      },
    });
  let read = 0;
  for await (const event of new Agent({ model }).stream("Go.")) {
    if (event.type !== "text-delta") continue;
    if (++read === 10) {
      // Nothing but its reader keeps this model from going on.
      await idle();
      expect(made).toBeLessThan(150);
      break;
    }
  }
});
