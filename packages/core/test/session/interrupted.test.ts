import { Agent, defineTool, MemoryStore, runSoFar, type SessionStore } from "@pollux/core";
import { call, dies, hangs, join, parts, say, ScriptedModel, think } from "@pollux/core/testing";
import { describe, expect, test, vi } from "vitest";
import { deferred } from "../helpers/deferred.ts";
import { fakeTime, idle } from "../helpers/fake-time.ts";
import { Processes } from "../helpers/processes.ts";
import { until } from "../helpers/until.ts";
import { SESSION_FACES } from "./session-faces.ts";

const look = defineTool({ name: "look", description: "x", run: () => "seen" });
const user = (text: string) => ({ role: "user", parts: [{ text }] });
const model = (...said: readonly object[]) => ({ role: "model", parts: said });

/** Aborts a run of a session when the model has said something, and gives its error. */
async function stopAfter(
  session: ReturnType<Agent["session"]>,
  face: (typeof SESSION_FACES)[number][1],
  turn: (abort: AbortController) => Promise<unknown>,
): Promise<unknown> {
  const abort = new AbortController();
  const ended = face.send(session, "Tell me.", { signal: abort.signal }).then(
    () => undefined,
    (error: unknown) => error,
  );
  await turn(abort);
  return await ended;
}

fakeTime("stands");

describe.each(SESSION_FACES)("an answer that was cut off in the middle, in a session read by %s", (_face, face) => {
  /** A session whose run is aborted once the model hangs. */
  async function stopped(script: ReturnType<typeof hangs>, ...more: ReturnType<typeof say>[]) {
    const scripted = new ScriptedModel(call("look"), script, ...more);
    const store = new MemoryStore();
    const session = new Agent({ model: scripted, tools: [look] }).session({ id: "s", store });
    const error = await stopAfter(session, face, async (abort) => {
      await until(() => scripted.requests.length === 2);
      await idle();
      abort.abort(new Error("enough"));
    });
    return { session, store, error, scripted };
  }

  test("is kept by the history, by the error, and for the next message", async () => {
    const { session, error, scripted, store } = await stopped(hangs("Once ", "upon"), say("Yes."));
    expect(error).toMatchObject({ message: "enough" });
    const kept = [user("Tell me."), expect.anything(), expect.anything(), model({ text: "Once upon" })];
    expect(await session.history()).toEqual(kept);
    expect(runSoFar(error)).toMatchObject({ contents: kept, interrupted: model({ text: "Once upon" }) });
    expect(await session.state()).toMatchObject({ lastRun: "aborted", resumable: true });
    // The mark stands beside the content, not inside it.
    expect((await store.load("s")).at(-1)).toMatchObject({
      type: "end",
      stopReason: "aborted",
      interrupted: { step: "model:2", attempt: 1, parts: [{ text: "Once upon" }] },
    });

    await face.send(session, "Go on?");
    expect(scripted.requests[2]?.contents).toEqual([...kept, user("Go on?")]);
    expect(await session.history()).toEqual([...kept, user("Go on?"), model({ text: "Yes." })]);
  });

  test("is dropped by a message that says so", async () => {
    const { session, scripted } = await stopped(hangs("Once"), say("Yes."), say("Well."));
    await face.send(session, "Go on?", { keepInterrupted: false });
    expect(scripted.requests[2]?.contents.map(({ role }) => role)).toEqual(["user", "model", "user", "user"]);
    expect((await session.history()).map(({ role }) => role)).toEqual(["user", "model", "user", "user", "model"]);
  });

  test("is asked for again by a resumed run, which forgets what it said", async () => {
    const { session, scripted } = await stopped(hangs("Once"), say("A tale."));
    expect((await face.resume(session)).text).toBe("A tale.");
    expect(scripted.requests[2]?.contents).toEqual(scripted.requests[1]?.contents);
    expect((await session.history()).at(-1)).toEqual(model({ text: "A tale." }));
    expect((await session.replay().result()).text).toBe("A tale.");
  });

  test("keeps what can be sent: signed thoughts and text, and no calls", async () => {
    const server = { toolCall: { toolType: "GOOGLE_SEARCH_WEB", id: "1" } };
    const { session } = await stopped(
      join(
        think("Hm."),
        parts({ text: "Aha.", thought: true, thoughtSignature: "c2ln" }),
        say("Once"),
        parts(server),
        call("look"),
        hangs(),
      ),
      say("Yes."),
    );
    expect((await session.history()).at(-1)).toEqual(
      model({ text: "Aha.", thought: true, thoughtSignature: "c2ln" }, { text: "Once" }),
    );
  });

  test("that said nothing that can be sent leaves no content", async () => {
    const { session, scripted } = await stopped(join(think("Hm."), hangs()), say("Yes."));
    expect((await session.history()).map(({ role }) => role)).toEqual(["user", "model", "user"]);
    await face.send(session, "And?");
    expect(scripted.requests[2]?.contents.map(({ role }) => role)).toEqual(["user", "model", "user", "user"]);
  });

  test("is kept when the stream fails for good", async () => {
    const scripted = new ScriptedModel(dies("Once "), dies("Once upon"), say("Yes."));
    const session = new Agent({ model: scripted, limits: { restarts: 1 } }).session();
    const failed = face.send(session, "Tell me.").catch((error: unknown) => error);
    await until(() => scripted.requests.length === 1);
    await vi.advanceTimersByTimeAsync(1000);
    // Only what the last attempt said: the reader was told that the first one is void.
    expect(runSoFar(await failed)?.interrupted).toEqual(model({ text: "Once upon" }));
    expect(await session.history()).toEqual([user("Tell me."), model({ text: "Once upon" })]);
  });
});

describe("a reader that leaves in the middle of an answer", () => {
  test("leaves what it was shown in the history", async () => {
    const session = new Agent({ model: new ScriptedModel(hangs("Once upon"), say("Yes.")) }).session();
    for await (const event of session.stream("Tell me.")) if (event.type === "text-delta") break;
    expect(await session.history()).toEqual([user("Tell me."), model({ text: "Once upon" })]);
  });
});

describe("a process that dies in the middle of an answer", () => {
  /** A run whose process dies after the model has said two things, some time apart. */
  async function dead(store: MemoryStore, script: ScriptedModel, wait: number) {
    const processes = new Processes(store);
    const process = processes.start();
    void new Agent({ model: script }).session({ id: "s", store: process.store }).send("Tell me.");
    await until(() => script.requests.length === 1);
    await vi.advanceTimersByTimeAsync(wait);
    process.die();
    return processes;
  }

  test("leaves a draft, which the next message makes part of the history", async () => {
    const store = new MemoryStore();
    const processes = await dead(store, new ScriptedModel(hangs("Once ", "upon")), 600);
    expect((await store.records("s")).draft).toMatchObject({
      step: "model:1",
      attempt: 1,
      parts: [{ text: "Once upon" }],
    });

    const next = new ScriptedModel(say("Yes."));
    const session = new Agent({ model: next }).session({ id: "s", store: processes.start().store });
    expect(await session.state()).toMatchObject({ lastRun: "cut-off" });
    await session.send("Are you there?");
    expect(next.requests[0]?.contents).toEqual([
      user("Tell me."),
      model({ text: "Once upon" }),
      user("Are you there?"),
    ]);
    expect((await store.records("s")).draft).toBeUndefined();
  });

  test("loses the text since the last draft, and nothing else", async () => {
    const store = new MemoryStore();
    const processes = await dead(store, new ScriptedModel(hangs("Once upon")), 400);
    const next = new ScriptedModel(say("Yes."));
    const session = new Agent({ model: next }).session({ id: "s", store: processes.start().store });
    await session.send("Are you there?");
    expect(next.requests[0]?.contents).toEqual([user("Tell me."), user("Are you there?")]);
  });

  test("does not leave its draft to the run that is resumed", async () => {
    const store = new MemoryStore();
    const processes = await dead(store, new ScriptedModel(hangs("Once upon")), 600);
    const next = new ScriptedModel(say("A tale."));
    const session = new Agent({ model: next }).session({ id: "s", store: processes.start().store });
    expect((await session.resume()).text).toBe("A tale.");
    expect(await session.history()).toEqual([user("Tell me."), model({ text: "A tale." })]);
  });
});

describe("the draft of an answer", () => {
  /** Counts the writes of drafts. */
  function counted(): { store: SessionStore; drafts: (string | undefined)[] } {
    const drafts: (string | undefined)[] = [];
    const store = new (class extends MemoryStore {
      override async setDraft(...args: Parameters<SessionStore["setDraft"]>): Promise<void> {
        drafts.push(args[2]?.parts.map((part) => part.text).join(""));
        await super.setDraft(...args);
      }
    })();
    return { store, drafts };
  }

  test("is written at most twice a second, however much is said, and not at all for a quick answer", async () => {
    const { store, drafts } = counted();
    const quick = new Agent({ model: new ScriptedModel(say(...Array.from({ length: 1000 }, () => "word "))) });
    await quick.session({ store }).send("Go.");
    expect(drafts).toEqual([]);

    // Fifty pieces in five seconds.
    class Slow extends ScriptedModel {
      override async respond(...[request, options]: Parameters<ScriptedModel["respond"]>) {
        for (let piece = 0; piece < 50; piece++) {
          await new Promise((resolve) => setTimeout(resolve, 100));
          await options.onParts?.([{ text: `${piece} ` }]);
        }
        return await super.respond(request, options);
      }
    }
    const run = new Agent({ model: new Slow(say("Done.")) }).session({ store }).send("Go.");
    await vi.advanceTimersByTimeAsync(5100);
    expect((await run).text).toBe("Done.");
    // One each half second, of all that was said by then.
    expect(drafts.map((draft) => draft?.trim().split(" ").length)).toEqual([5, 10, 15, 20, 25, 30, 35, 40, 45]);
    expect(drafts[0]).toBe("0 1 2 3 4 ");
  });

  test("holds no more than 256 KB, and says that it is cut", async () => {
    const store = new MemoryStore();
    const scripted = new ScriptedModel(hangs("\u{1f600}".repeat(200_000)));
    const abort = new AbortController();
    const session = new Agent({ model: scripted }).session({ id: "s", store });
    const run = session.send("Go.", { signal: abort.signal }).catch(() => {});
    await until(() => scripted.requests.length === 1);
    await vi.advanceTimersByTimeAsync(600);
    const { draft } = await store.records("s");
    expect(draft?.truncated).toBe(true);
    expect(JSON.stringify(draft?.parts).length).toBeLessThanOrEqual(262_144);
    expect(JSON.stringify(draft?.parts).length).toBeGreaterThan(262_000);
    expect(draft?.parts[0]?.text?.endsWith("\u{1f600}")).toBe(true);
    abort.abort();
    await run;
    // In the memory of the process that ran it all of it was there, but a log has its bounds as well.
    expect((await session.history()).at(-1)?.parts[0]?.text?.length).toBe(draft?.parts[0]?.text?.length);
  });

  test("that cannot be written does not disturb the run", async () => {
    const gate = deferred();
    const store = new (class extends MemoryStore {
      override setDraft(): Promise<void> {
        return Promise.reject(new Error("the disk is full"));
      }
    })();
    const scripted = new ScriptedModel(async () => (await gate.promise, say("Done.")));
    const run = new Agent({ model: scripted }).session({ store }).send("Go.");
    await vi.advanceTimersByTimeAsync(600);
    gate.resolve();
    expect((await run).text).toBe("Done.");
  });
});
