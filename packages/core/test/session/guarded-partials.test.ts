import {
  Agent,
  type Guardrails,
  type InputGuardrail,
  MemoryStore,
  type OutputGuardrail,
  runSoFar,
  type RunEvent,
} from "@pollux/core";
import { applyUpdate, type Conversation, conversationUpdates, readConversation } from "@pollux/core/conversation";
import { assertGrammar, dies, hangs, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test, vi } from "vitest";
import { deferred } from "../helpers/deferred.ts";
import { faces } from "../helpers/faces.ts";
import { fakeTime, idle } from "../helpers/fake-time.ts";
import { Processes } from "../helpers/processes.ts";
import { until } from "../helpers/until.ts";
import { SESSION_FACES } from "./session-faces.ts";

const redact: OutputGuardrail = {
  name: "redact",
  check: ({ text }) =>
    text.includes("secret") ? { replace: text.replaceAll("secret", "***"), reason: "masked" } : undefined,
};
const noSecret: OutputGuardrail = {
  name: "no-secret",
  check: ({ text }) => (text.includes("secret") ? { stop: "a word" } : undefined),
};
const user = (text: string) => ({ role: "user", parts: [{ text }] });
const model = (text: string) => ({ role: "model", parts: [{ text }] });

/** An answer in pieces; a run is cut off after each of them. */
const PIECES = ["The ", "secret", " is ", "out."];
const CUTS = PIECES.map((_, index) => PIECES.slice(0, index + 1));
const masked = (pieces: readonly string[]): string => pieces.join("").replaceAll("secret", "***");
const textsOf = (conversation: Conversation | undefined): string =>
  (conversation?.messages ?? [])
    .filter(({ role }) => role === "model")
    .flatMap(({ parts }) => parts.flatMap((part) => (part.type === "text" ? [part.text] : [])))
    .join("");

fakeTime("stands");

describe.each(["hold", "show"] as const)("with guardrails that %s answers", (streaming) => {
  const guardrails: Guardrails = { output: [redact], streaming };

  describe.each(faces)("a run that is aborted in the middle of an answer, by %s", (_face, read) => {
    async function aborted(guards: Guardrails, ...pieces: readonly string[]): Promise<unknown> {
      const abort = new AbortController();
      const scripted = new ScriptedModel(hangs(...pieces));
      const failed = read(new Agent({ model: scripted, guardrails: guards }), "Go.", { signal: abort.signal }).catch(
        (error: unknown) => error,
      );
      await until(() => scripted.requests.length === 1);
      await idle();
      abort.abort(new Error("enough"));
      return failed;
    }

    test.each(CUTS)("keeps what its guardrails let pass, after %s%s%s%s", async (...pieces) => {
      const error = await aborted(guardrails, ...pieces);
      expect(error).toMatchObject({ message: "enough" });
      expect(runSoFar(error)).toMatchObject({
        contents: [user("Go."), model(masked(pieces))],
        interrupted: model(masked(pieces)),
      });
    });

    test("keeps nothing of what they stop", async () => {
      const error = await aborted({ output: [noSecret], streaming }, "The ", "secret");
      expect(runSoFar(error)).toMatchObject({ contents: [user("Go.")] });
      expect(runSoFar(error)?.interrupted).toBeUndefined();
    });

    test("keeps nothing when one fails", async () => {
      const check = (): never => {
        throw new Error("down");
      };
      const error = await aborted({ output: [{ name: "classifier", check }], streaming }, "The secret");
      expect(error).toMatchObject({ message: "enough" });
      expect(runSoFar(error)?.contents).toEqual([user("Go.")]);
    });

    test("keeps nothing of what is not checked within five seconds", async () => {
      let given: AbortSignal | undefined;
      const check = ({ signal }: { readonly signal: AbortSignal }): Promise<undefined> => {
        given = signal;
        return new Promise(() => {});
      };
      const failed = aborted({ output: [{ name: "slow", check }], streaming }, "The secret");
      await until(() => given !== undefined);
      expect(given?.aborted).toBe(false);
      await vi.advanceTimersByTimeAsync(5000);
      expect(runSoFar(await failed)?.contents).toEqual([user("Go.")]);
      expect(given?.aborted).toBe(true);
      expect(vi.getTimerCount()).toBe(0);
    });

    test("tells the guardrail that the answer is not whole", async () => {
      const seen: unknown[] = [];
      const watch: OutputGuardrail = {
        name: "watch",
        check: ({ text, isPartial, isFinal }) => void seen.push([text, isPartial, isFinal]),
      };
      await aborted({ output: [watch], streaming }, "The ", "secret");
      expect(seen).toEqual([["The secret", true, false]]);
    });

    test("checks a complete answer again that was still being checked", async () => {
      const abort = new AbortController();
      const seen: boolean[] = [];
      const check: OutputGuardrail["check"] = (said) => {
        seen.push(said.isPartial);
        if (said.isPartial) return redact.check(said);
        abort.abort(new Error("enough"));
        return new Promise(() => {});
      };
      const scripted = new ScriptedModel(say("The secret."));
      const agent = new Agent({ model: scripted, guardrails: { output: [{ name: "slow", check }], streaming } });
      const error = await read(agent, "Go.", { signal: abort.signal }).catch((thrown: unknown) => thrown);
      expect(seen).toEqual([false, true]);
      expect(runSoFar(error)?.contents).toEqual([user("Go."), model("The ***.")]);
    });

    test("is checked when the stream fails for good, and when the wall time is up", async () => {
      const agent = new Agent({ model: new ScriptedModel(dies("The secret")), limits: { restarts: 0 }, guardrails });
      const error = await read(agent, "Go.").catch((thrown: unknown) => thrown);
      expect(runSoFar(error)?.interrupted).toEqual(model("The ***"));

      const slow = new Agent({
        model: new ScriptedModel(hangs("The secret")),
        guardrails,
        limits: { wallTimeMs: 100 },
      });
      const running = read(slow, "Go.");
      await idle();
      await vi.advanceTimersByTimeAsync(200);
      expect(await running).toMatchObject({ stopReason: "limit", interrupted: model("The ***") });
      expect(JSON.stringify(await running)).not.toContain("secret");
    });
  });

  test("a reader sees what passed, and that what was shown is withdrawn", async () => {
    for (const pieces of CUTS) {
      const abort = new AbortController();
      const events: RunEvent[] = [];
      const agent = new Agent({ model: new ScriptedModel(hangs(...pieces)), guardrails });
      let conversation: Conversation | undefined;
      const stream = agent.stream("Go.", { signal: abort.signal });
      async function* tapped(): AsyncGenerator<RunEvent> {
        for await (const event of stream) {
          events.push(event);
          yield event;
        }
      }
      const read = (async () => {
        for await (const update of conversationUpdates(tapped(), { input: "Go.", signal: abort.signal }))
          conversation = applyUpdate(conversation, update);
      })().catch(() => {});
      await idle();
      expect(stream.soFar?.contents).toEqual([user("Go.")]);
      abort.abort();
      await read;
      assertGrammar(events, { complete: false });
      expect(textsOf(conversation)).toBe(masked(pieces));
      if (streaming === "hold") expect(JSON.stringify(events)).not.toContain("secret ");
    }
  });

  describe.each(SESSION_FACES)("a session, read by %s", (_face, face) => {
    test.each(CUTS)("keeps, sends and shows what passed, after %s%s%s%s", async (...pieces) => {
      const store = new MemoryStore();
      const abort = new AbortController();
      const scripted = new ScriptedModel(hangs(...pieces), say("Yes."));
      const session = new Agent({ model: scripted, guardrails }).session({ id: "s", store });
      const failed = face.send(session, "Go.", { signal: abort.signal }).catch(() => {});
      await idle();
      await vi.advanceTimersByTimeAsync(600);
      const held = JSON.stringify(await store.records("s"));
      expect(held.includes('"parts"')).toBe(streaming === "show");
      abort.abort();
      await failed;
      // Nothing of what was withheld is anywhere in the store.
      expect(JSON.stringify([await store.load("s"), await store.records("s")])).not.toContain("secret ");
      const kept = [user("Go."), model(masked(pieces))];
      expect(await session.history()).toEqual(kept);
      expect((await store.load("s")).at(-1)).toMatchObject({
        interrupted: {
          step: "model:1",
          parts: [{ text: masked(pieces) }],
          ...(pieces.length > 1 && { checked: [{ name: "redact", action: "replace", reason: "masked" }] }),
        },
      });
      expect(textsOf(await readConversation(session))).toBe(masked(pieces));
      const fork = await session.fork({ id: "f" });
      expect(await fork.history()).toEqual(kept);

      // Whoever comes next: it was checked.
      const plain = new Agent({ model: scripted }).session({ id: "s", store });
      await face.send(plain, "Go on.");
      expect(scripted.requests[1]?.contents).toEqual([...kept, user("Go on.")]);
    });
  });

  describe("a process that dies in the middle of an answer", () => {
    async function dead(pieces: readonly string[]): Promise<{ store: MemoryStore; processes: Processes }> {
      const store = new MemoryStore();
      const processes = new Processes(store);
      const process = processes.start();
      const scripted = new ScriptedModel(hangs(...pieces));
      void new Agent({ model: scripted, guardrails }).session({ id: "s", store: process.store }).send("Go.");
      await until(() => scripted.requests.length === 1);
      await vi.advanceTimersByTimeAsync(600);
      process.die();
      return { store, processes };
    }
    /** With "hold", nobody but the dead process ever had it. */
    const left = (text: string): readonly object[] => (streaming === "show" ? [model(text)] : []);

    test.each<[who: string, guards: Guardrails | undefined, kept: (pieces: readonly string[]) => readonly object[]]>([
      ["the same agent", guardrails, (pieces) => left(masked(pieces))],
      ["an agent without guardrails", undefined, () => []],
      ["an agent with input guardrails only", { input: [{ name: "in", check: () => {} }] }, () => []],
      [
        "an agent with another guardrail",
        { output: [{ name: "loud", check: ({ text }) => ({ replace: text.length.toString() }) }] },
        (pieces) => left(pieces.join("").length.toString()),
      ],
    ])("leaves to %s what its guardrails let pass", async (_who, guards, kept) => {
      for (const pieces of CUTS) {
        const { store, processes } = await dead(pieces);
        const next = new ScriptedModel(say("Yes."));
        const options = { model: next, ...(guards !== undefined && { guardrails: guards }) };
        const session = new Agent(options).session({ id: "s", store: processes.start().store });
        expect(textsOf(await readConversation(session))).toBe("");
        expect(await session.history()).toEqual([user("Go.")]);
        await session.send("Go on.");
        const shown = kept(pieces);
        const sent = next.requests[0]?.contents;
        expect(sent).toEqual([user("Go."), ...shown, user("Go on.")]);
        expect(JSON.stringify([await store.load("s"), await store.records("s")])).not.toContain("secret");
        const answer = guards?.output?.[0]?.name === "loud" ? "4" : "Yes.";
        expect(textsOf(await readConversation(session))).toBe(
          [...shown.map((one) => (one as ReturnType<typeof model>).parts[0]?.text), answer].join(""),
        );
      }
    });

    test("leaves nothing to a rewind, a replay, a fork or a resumed run", async () => {
      for (const way of ["rewind", "replay", "fork", "resume"] as const) {
        const { store, processes } = await dead(PIECES);
        const next = new ScriptedModel(say("A tale."));
        const session = new Agent({ model: next }).session({ id: "s", store: processes.start().store });
        if (way === "rewind") await session.rewind();
        if (way === "replay") {
          const replay = session.replay();
          await expect(replay.result()).rejects.toThrow("ended here without a result");
          expect(replay.soFar?.contents).toEqual([user("Go.")]);
        }
        const fork = way === "fork" ? await session.fork({ id: "f" }) : undefined;
        if (way === "resume") expect((await session.resume()).text).toBe("A tale.");
        const all = [await session.history(), await fork?.history(), await readConversation(session), next.requests];
        expect(JSON.stringify([all, await store.load("s"), await store.list()])).not.toContain("secret");
      }
    });
  });

  describe("an answer whose check was cut off by a crash", () => {
    async function dead(): Promise<{ store: MemoryStore; processes: Processes }> {
      const store = new MemoryStore();
      const processes = new Processes(store);
      const process = processes.start();
      const reached = deferred();
      const check = (): Promise<undefined> => (reached.resolve(), new Promise(() => {}));
      const first = new Agent({
        model: new ScriptedModel(say("The secret.")),
        guardrails: { output: [{ name: "slow", check }], streaming },
      });
      void first.session({ id: "s", store: process.store }).send("Go.");
      await reached.promise;
      process.die();
      return { store, processes };
    }

    test.each([
      ["checked by who comes next", guardrails, [model("The ***.")]],
      ["left out without guardrails", undefined, []],
    ])("is %s", async (_what, guards, kept) => {
      const { processes } = await dead();
      const next = new ScriptedModel(say("Yes."));
      const options = { model: next, ...(guards !== undefined && { guardrails: guards }) };
      const session = new Agent(options).session({ id: "s", store: processes.start().store });
      expect(textsOf(await readConversation(session))).toBe("");
      await session.send("Go on.");
      expect(next.requests[0]?.contents).toEqual([user("Go."), ...kept, user("Go on.")]);
      expect(textsOf(await readConversation(session))).toBe(kept.length === 0 ? "Yes." : "The ***.Yes.");
    });

    test("fails a run that is resumed without guardrails, and is left out", async () => {
      const { processes } = await dead();
      const next = new ScriptedModel(say("Yes."));
      const session = new Agent({ model: next }).session({ id: "s", store: processes.start().store });
      await expect(session.resume()).rejects.toMatchObject({ code: "guardrail", side: "output" });
      expect(textsOf(await readConversation(session))).toBe("");
      expect(await session.history()).toEqual([user("Go.")]);
      await session.send("Go on.");
      expect(next.requests[0]?.contents).toEqual([user("Go."), user("Go on.")]);
    });
  });

  test("a message that was not checked before a crash is no part of the history, whatever the next call is", async () => {
    for (const guards of [undefined, { output: [redact] }]) {
      const store = new MemoryStore();
      const processes = new Processes(store);
      const process = processes.start();
      const reached = deferred();
      const check = (): Promise<undefined> => (reached.resolve(), new Promise(() => {}));
      const first = new Agent({ model: new ScriptedModel(), guardrails: { input: [{ name: "slow", check }] } });
      void first.session({ id: "s", store: process.store }).send("The secret.");
      await reached.promise;
      process.die();
      const next = new ScriptedModel(say("Yes."));
      const options = { model: next, ...(guards !== undefined && { guardrails: guards }) };
      const session = new Agent(options).session({ id: "s", store: processes.start().store });
      await session.send("Hi.");
      expect(next.requests[0]?.contents).toEqual([user("Hi.")]);
    }
  });

  test("a message that was checked before a crash is not checked again, whichever process continues", async () => {
    for (const way of ["resume", "send"] as const) {
      const store = new MemoryStore();
      const processes = new Processes(store);
      const process = processes.start();
      let asked = 0;
      const mask: InputGuardrail = {
        name: "mask",
        check: ({ text }) => (asked++, { replace: text.replaceAll("secret", "***") }),
      };
      const first = new ScriptedModel(hangs());
      const guards: Guardrails = { input: [mask] };
      void new Agent({ model: first, guardrails: guards }).session({ id: "s", store: process.store }).send("A secret.");
      await until(() => first.requests.length === 1);
      process.die();
      const next = new ScriptedModel(say("Yes."));
      const session = new Agent({ model: next }).session({ id: "s", store: processes.start().store });
      if (way === "resume") await session.resume();
      else await session.send("Hi.");
      expect(next.requests[0]?.contents).toEqual([user("A ***."), ...(way === "send" ? [user("Hi.")] : [])]);
      expect(asked).toBe(1);
    }
  });

  test("a resumed run continues with an answer whose check was aborted", async () => {
    const store = new MemoryStore();
    const abort = new AbortController();
    let isSlow = true;
    const check: OutputGuardrail["check"] = (said) => {
      if (!isSlow || said.isPartial) return redact.check(said);
      isSlow = false;
      abort.abort();
      return new Promise(() => {});
    };
    const agent = new Agent({
      model: new ScriptedModel(say("The secret.")),
      guardrails: { output: [{ name: "slow", check }], streaming },
    });
    const session = agent.session({ id: "s", store });
    await session.send("Go.", { signal: abort.signal }).catch(() => {});
    expect(await session.history()).toEqual([user("Go."), model("The ***.")]);
    expect(textsOf(await readConversation(session))).toBe("The ***.");
    expect((await session.resume()).text).toBe("The ***.");
    expect(textsOf(await readConversation(session))).toBe("The ***.");
    expect(await session.history()).toEqual([user("Go."), model("The ***.")]);
  });

  test("the wall time may end a check; a replay knows", async () => {
    const store = new MemoryStore();
    const check: OutputGuardrail["check"] = (said) => (said.isPartial ? redact.check(said) : new Promise(() => {}));
    const agent = new Agent({
      model: new ScriptedModel(say("The secret.")),
      guardrails: { output: [{ name: "slow", check }], streaming },
      limits: { wallTimeMs: 100 },
    });
    const session = agent.session({ id: "s", store });
    const running = session.send("Go.");
    await idle();
    await vi.advanceTimersByTimeAsync(200);
    expect(await running).toMatchObject({ stopReason: "limit", interrupted: model("The ***.") });
    expect(await session.replay().result()).toMatchObject({ stopReason: "limit", interrupted: model("The ***.") });
  });
});
