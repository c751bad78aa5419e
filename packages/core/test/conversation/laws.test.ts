import { setImmediate } from "node:timers/promises";
import {
  Agent,
  applyUpdate,
  type Conversation,
  conversationOf,
  conversationUpdates,
  type Message,
  type RunStream,
  type Session,
  type SessionEntry,
} from "@pollux/core";
import { describe, expect, test } from "vitest";
import { fakeTime } from "../helpers/fake-time.ts";
import { SESSION_FACES, type SessionFace } from "../session/session-faces.ts";
import { type Scene, type Script, SCRIPTS, SECRETS } from "./scripts.ts";
import { expectLaws, expectSound, WatchedStore, Watcher } from "./watched-store.ts";

const scripts = Object.entries(SCRIPTS);

function open(script: Script, store: WatchedStore): Session {
  const agent = new Agent({ model: script.model(), instructions: "SYSTEM", ...script.agent });
  return agent.session({ id: "s", store });
}

/** Errors of runs are part of the play. */
async function quietly(work: Promise<unknown>): Promise<unknown> {
  return await work.catch((error: unknown) => error);
}

/** Plays a script for some watchers: of the same object, also from the middle of each run, and of another process. */
async function play(script: Script, face: SessionFace) {
  const store = new WatchedStore();
  const session = open(script, store);
  const other = open(script, store);
  const [here, there] = [new Watcher(session), new Watcher(other)];
  const late: Watcher[] = [];
  await setImmediate();
  const scene: Scene = {
    face,
    session,
    other,
    send: (message, options) => {
      const run = quietly(face.send(session, message, options));
      late.push(new Watcher(session));
      return run;
    },
    resume: (options) => quietly(face.resume(session, options)),
  };
  await (script.play ?? (({ send }) => send("Hello.")))(scene);
  const watchers = [here, there, ...late];
  for (const watcher of watchers) await watcher.stop();
  const states = [...store.snapshots, ...watchers.flatMap((watcher) => watcher.states)];
  return { store, session, watchers, states, end: await store.look("s") };
}

describe.each(SESSION_FACES)("a conversation read by %s", (_face, face) => {
  fakeTime("leaps");

  test.each(scripts)("%s: whoever watches it ends with what the log says", async (_name, script) => {
    const { session, watchers, end } = await play(script, face);
    for (const watcher of watchers) expect(expectLaws(watcher.updates)).toEqual(end);
    expect(await session.conversation()).toEqual(end);
    expectSound(end);
  });

  test.each(scripts)("%s: the updates lead from any moment of the log to its end", async (_name, script) => {
    const { store, watchers, end } = await play(script, face);
    expect(store.snapshots.length).toBeGreaterThan(2);
    for (const [index, snapshot] of store.snapshots.entries()) {
      expectSound(snapshot);
      for (const { updates } of watchers.slice(0, 2)) {
        const reached = updates
          .filter(({ type }) => type === "changes")
          .reduce<Conversation>((conversation, update) => applyUpdate(conversation, update), snapshot);
        expect(reached, `from snapshot ${index}`).toEqual(end);
      }
    }
  });

  test.each(scripts)("%s: ids are the same whenever and however it is read", async (_name, script) => {
    const { states, end } = await play(script, face);
    const known = new Set(end.messages.map(({ id }) => id));
    for (const { messages } of states) for (const { id } of messages) expect(known).toContain(id);
    // What has ended stays as it is.
    for (const { messages } of states) {
      for (const message of messages.filter(({ state }) => state === "complete"))
        expect(end.messages).toContainEqual(message);
    }
  });

  test.each(scripts)("%s: no call that was denied was ever shown as running", async (_name, script) => {
    const { states, end } = await play(script, face);
    const denied = callsOf(end).filter(({ state }) => state === "denied");
    for (const conversation of states)
      for (const { key, state } of callsOf(conversation))
        if (denied.some((one) => one.key === key)) expect(state).not.toBe("running");
  });

  test.each(scripts)("%s: shows nothing that only the model and the server may know", async (_name, script) => {
    const { states, watchers } = await play(script, face);
    const shown = JSON.stringify([states, watchers.map(({ updates }) => updates)]);
    for (const secret of SECRETS) expect(shown).not.toContain(secret);
  });
});

describe("the events of a run", () => {
  fakeTime("leaps");

  test.each(scripts.filter(([, { needsLog }]) => needsLog === undefined))(
    "%s: alone make the same messages as the log",
    async (_name, script) => {
      const store = new WatchedStore();
      const session = open(script, store);
      let conversation = await session.conversation();
      const follow = async (run: RunStream<unknown>, input?: string): Promise<void> => {
        const updates = conversationUpdates(run, { conversation, input });
        try {
          for await (const update of updates) {
            const sent = JSON.parse(JSON.stringify(update));
            conversation = applyUpdate(conversation, sent);
            expect(applyUpdate(conversation, sent)).toBe(conversation);
            expectSound(conversation);
          }
        } catch {
          // Part of the play.
        }
      };
      await (script.play ?? (({ send }) => send("Hello.")))({
        face: SESSION_FACES[1]?.[1] as SessionFace,
        session,
        other: open(script, store),
        send: (message, options) => follow(session.stream(message, options), message),
        resume: (options) => follow(session.resumeStream(options)),
      });
      const end = await store.look("s");
      expect(conversation.messages).toEqual(end.messages.map(withoutTime));
      expect(conversation).toMatchObject({ state: end.state, pending: end.pending, usage: end.usage, cost: end.cost });
    },
  );

  test.each(scripts)("%s: read again make the same messages as live", async (_name, script) => {
    const { session, store, end } = await play(script, SESSION_FACES[1]?.[1] as SessionFace);
    const entries = (await store.load("s")) as unknown as SessionEntry[];
    for (const [run, entry] of entries.filter(({ type }) => type === "run").entries()) {
      if (entry.type !== "run") continue;
      const { runId, input } = entry;
      const own = end.messages.filter((message) => message.runId === runId).map(withoutTime);
      const { state, stopReason } = own.at(-1) ?? {};
      // These end without a result when they are read again; that one waits.
      if (
        stopReason === "failed" ||
        stopReason === "aborted" ||
        (stopReason === "needs-approval" && state === "stopped")
      )
        continue;
      let conversation = conversationOf("s", entries.slice(0, entries.indexOf(entry)));
      const replay = session.replay({ runId, ...script.replay?.[run] });
      for await (const update of conversationUpdates(replay, { conversation, input }))
        conversation = applyUpdate(conversation, update);
      expect(conversation.messages.filter((message) => message.runId === runId)).toEqual(own);
    }
  });
});

function callsOf({ messages }: Conversation): { readonly key: string; readonly state: string }[] {
  return messages.flatMap(({ id, parts }) =>
    parts.flatMap((part) => (part.type === "tool-call" ? [{ key: `${id} ${part.id}`, state: part.state }] : [])),
  );
}

/** Events have no times. */
function withoutTime({ at: _at, ...message }: Message): Message {
  return message;
}
