import { setImmediate } from "node:timers/promises";
import { Agent, type Model, type RunStream, type Session, type SessionEntry } from "@pollux/core";
import {
  applyUpdate,
  type Conversation,
  type ConversationChange,
  buildConversation,
  type ConversationUpdate,
  conversationUpdates,
  type Message,
  readConversation,
} from "@pollux/core/conversation";
import { describe, expect, test } from "vitest";
import { fakeTime } from "../helpers/fake-time.ts";
import { SESSION_FACES, type SessionFace } from "../session/session-faces.ts";
import { type Scene, type Script, SCRIPTS, SECRETS } from "./scripts.ts";
import { expectLaws, expectSound, WatchedStore, Watcher } from "./watched-store.ts";
import { answersTo } from "../helpers/answers.ts";
import { textsById, Words } from "./words.ts";

const scripts = Object.entries(SCRIPTS);

function open(script: Script, store: WatchedStore, pace: Pace): Session {
  const model = pace === "slow" ? slowly(script.model()) : script.model();
  return new Agent({ model, instructions: "SYSTEM", ...script.agent }).session({ id: "s", store });
}

/** How fast the model talks: all at once, or so that each of its words is in a draft. */
type Pace = "fast" | "slow";

function slowly(model: Model): Model {
  const respond: Model["respond"] = async (request, options) =>
    await model.respond(request, {
      ...options,
      onParts: async (parts) => {
        await options.onParts?.(parts);
        await sleep(600, options.signal);
      },
    });
  return { id: model.id, capabilities: model.capabilities, check: (settings) => model.check(settings), respond };
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    setTimeout(resolve, ms);
  });
}

/** Errors of runs are part of the play. */
async function quietly(work: Promise<unknown>): Promise<unknown> {
  return await work.catch((error: unknown) => error);
}

/** Plays a script for some watchers: of the same object, from the beginning and from later moments, and of another process. */
async function play(script: Script, face: SessionFace, pace: Pace) {
  const store = new WatchedStore();
  const session = open(script, store, pace);
  const other = open(script, store, pace);
  const [here, there] = [new Watcher(session), new Watcher(other)];
  const late: Watcher[] = [];
  await setImmediate();
  store.onChange = () => {
    if (late.length < 10) late.push(new Watcher(session));
  };
  const scene: Scene = {
    face,
    session,
    other,
    send: (message, options) => quietly(face.send(session, message, options)),
    resume: async (options = {}) => quietly(face.resume(session, await answersTo(session, options))),
    regenerate: (options) => quietly(face.regenerate(session, options)),
  };
  await (script.play ?? (({ send }) => send("Hello.")))(scene);
  const watchers = [here, there, ...late];
  for (const watcher of watchers) await watcher.stop();
  const states = [...store.snapshots, ...watchers.flatMap((watcher) => watcher.states)];
  return { store, session, watchers, states, end: await store.look("s") };
}

/** Each face, with a model of each pace. */
export const WAYS: readonly (readonly [string, Pace, SessionFace])[] = SESSION_FACES.flatMap(([name, face]) =>
  (["fast", "slow"] as const).map((pace) => [name, pace, face] as const),
);

/** What holds for conversations that are read in these ways. */
export function describeConversations(ways: typeof WAYS): void {
  describe.each([...ways])("a conversation read by %s, of a %s model", (_face, pace, face) => {
    fakeTime("leaps");

    // Each script is played once, for all that is expected of it.
    const plays = new Map<Script, ReturnType<typeof play>>();
    const played = (script: Script): ReturnType<typeof play> => {
      const known = plays.get(script) ?? play(script, face, pace);
      plays.set(script, known);
      return known;
    };

    test.each(scripts)("%s: every watcher ends with what the log says", async (_name, script) => {
      const { session, watchers, end } = await played(script);
      for (const watcher of watchers) expect(expectLaws(watcher.updates)).toEqual(end);
      expect(await readConversation(session)).toEqual(end);
      expectSound(end);
    });

    test.each(scripts)("%s: the updates lead from any moment of the log to its end", async (_name, script) => {
      const { store, watchers, end } = await played(script);
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
      const { states, watchers, end } = await played(script);
      const gone = goneIn(watchers.flatMap(({ updates }) => updates));
      const known = new Set([...end.messages.map(({ id }) => id), ...gone]);
      for (const { messages } of states) for (const { id } of messages) expect(known).toContain(id);
      // What has ended stays as it is.
      for (const { messages } of states) {
        for (const message of messages.filter(({ id, state }) => state === "complete" && !gone.has(id)))
          expect(end.messages).toContainEqual(message);
      }
    });

    test.each(scripts.filter(([, { denies }]) => denies !== undefined))(
      "%s: no call that was denied was ever shown as running",
      async (_name, script) => {
        const { states, end } = await played(script);
        const denied = callsOf(end).filter(({ state }) => state === "denied");
        expect(denied.map(({ name }) => name)).toEqual(script.denies);
        const shown = states.flatMap(callsOf).filter(({ key }) => denied.some((one) => one.key === key));
        const shownAs = new Set(shown.map(({ state }) => state));
        expect(
          [...shownAs].filter((state) => !["writing", "called", "pending-approval", "denied"].includes(state)),
        ).toEqual([]);
        // Somebody saw it before it was decided.
        expect(shownAs.size).toBeGreaterThan(1);
      },
    );

    test.each(scripts.filter(([, { denies }]) => denies === undefined))("%s: denies no call", async (_name, script) => {
      const { end } = await played(script);
      expect(callsOf(end).filter(({ state }) => state === "denied")).toEqual([]);
    });

    test.each(scripts)("%s: shows nothing that only the model and the server may know", async (_name, script) => {
      const { states, watchers } = await played(script);
      const shown = JSON.stringify([states, watchers.map(({ updates }) => updates)]);
      for (const secret of SECRETS) expect(shown).not.toContain(secret);
    });

    test.each(scripts)("%s: no word is sent twice unless it was taken back", async (_name, script) => {
      const { watchers, states, end } = await played(script);
      const told = watchers.map(({ updates }) => {
        const words = new Words();
        for (const update of updates) words.read(update);
        expect(words.again).toEqual([]);
        expect(words.standing).toEqual(Object.fromEntries(textsById(end)));
        return words;
      });
      // The first one has read everything from the beginning.
      const [words = new Words()] = told;
      // Nor does anybody who comes later see one twice, or one that was never told.
      for (const state of states) {
        for (const [key, text] of textsById(state))
          expect(
            words.everOf(key).some((one) => one.startsWith(text)),
            `${key}: ${text}`,
          ).toBe(true);
        const isBeginning = textsOf(end).join("").startsWith(textsOf(state).join(""));
        expect(words.hasTakenBack || isBeginning, "it is how all of it begins").toBe(true);
      }
    });

    test("some of them take words back, and some do not", async () => {
      const takers = await Promise.all(
        scripts.map(async ([, script]) => (await played(script)).watchers[0]?.updates.some(takesBack)),
      );
      expect(new Set(takers)).toEqual(new Set([true, false]));
    });

    test.each(scripts)("%s: a queued message is not shown as read, and the other way round", async (_name, script) => {
      const { states } = await played(script);
      for (const conversation of states)
        for (const said of ["Be brief.", "One more thing."])
          expect(JSON.stringify([conversation.messages, conversation.queued]).split(said).length).toBeLessThan(3);
    });
  });
}

/** What holds for the events of a run alone. */
export function describeEvents(): void {
  describe("the events of a run", () => {
    fakeTime("leaps");

    test.each(scripts.filter(([, { needsLog }]) => needsLog === undefined))(
      "%s: alone make the same messages as the log",
      async (_name, script) => {
        const store = new WatchedStore();
        const session = open(script, store, "fast");
        let conversation = await readConversation(session);
        const updates: ConversationUpdate[] = [];
        const follow = async (run: RunStream<unknown>, input?: string): Promise<void> => {
          try {
            for await (const update of conversationUpdates(run, { conversation, input })) {
              updates.push(update);
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
          other: open(script, store, "fast"),
          send: (message, options) => follow(session.stream(message, options), message),
          resume: async (options = {}) => await follow(session.resumeStream(await answersTo(session, options))),
          regenerate: (options) => follow(session.regenerateStream(options)),
        });
        const end = await store.look("s");
        expect(conversation.messages).toEqual(end.messages.map(withoutTime));
        const words = new Words();
        for (const update of updates) words.read(update);
        expect(words.again).toEqual([]);
        expect(words.standing).toEqual(Object.fromEntries(textsById(end)));
        expect(conversation).toMatchObject({
          state: end.state,
          pending: end.pending,
          usage: end.usage,
          cost: end.cost,
        });
      },
    );

    test.each(scripts)("%s: read again make the same messages as live", async (_name, script) => {
      const { session, store, end } = await play(script, SESSION_FACES[1]?.[1] as SessionFace, "fast");
      const entries = (await store.load("s")) as unknown as SessionEntry[];
      for (const [run, entry] of entries.filter(({ type }) => type === "run").entries()) {
        if (entry.type !== "run") continue;
        const { runId, input } = entry;
        const own = end.messages.filter((message) => message.runId === runId).map(withoutTime);
        // Those that were taken back are gone.
        if (own.length === 0) continue;
        const { state, stopReason, parts = [] } = own.at(-1) ?? {};
        // The events of a run that is read again have none of an answer that was left in the middle.
        if (parts.some(({ type }) => type === "interruption")) continue;
        // These end without a result when they are read again; that one waits.
        if (
          stopReason === "failed" ||
          stopReason === "aborted" ||
          ((stopReason === "needs-approval" || stopReason === "needs-outcome") && state === "stopped")
        )
          continue;
        let conversation = buildConversation("s", entries.slice(0, entries.indexOf(entry)));
        const replay = session.replay({ runId, ...script.replay?.[run] });
        for await (const update of conversationUpdates(replay, { conversation, input }))
          conversation = applyUpdate(conversation, update);
        expect(conversation.messages.filter((message) => message.runId === runId)).toEqual(own);
      }
    });
  });
}

function callsOf({ messages }: Conversation) {
  return messages.flatMap(({ id, parts }) =>
    parts.flatMap((part) => {
      if (part.type !== "tool-call") return [];
      return [{ key: `${id} ${part.id}`, name: part.name, state: part.state }];
    }),
  );
}

function changesOf(update: ConversationUpdate): readonly ConversationChange[] {
  return update.type === "changes" ? update.changes : [];
}

/** Ids of messages that were taken back. */
function goneIn(updates: readonly ConversationUpdate[]): ReadonlySet<string> {
  return new Set(updates.flatMap(changesOf).flatMap((change) => (change.type === "take-back" ? change.ids : [])));
}

/** Some of what was said is void, or stands elsewhere than it did while it was said. */
function takesBack(update: ConversationUpdate): boolean {
  return changesOf(update).some(
    (change) =>
      change.type === "remove" ||
      change.type === "take-back" ||
      (change.type === "part-fields" && "text" in change.set),
  );
}

function textsOf({ messages }: Conversation): readonly string[] {
  return messages.flatMap(({ role, parts }) =>
    role === "model" ? parts.flatMap((part) => ("text" in part ? [part.text] : [])) : [],
  );
}

/** Events have no times. */
function withoutTime({ at: _at, ...message }: Message): Message {
  return message;
}
