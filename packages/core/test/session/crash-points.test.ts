import { setImmediate } from "node:timers/promises";
import { Agent, type Content, MemoryStore, type Session } from "@pollux/core";
import { ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { type Scene, type Script, SCRIPTS } from "../conversation/scripts.ts";
import { answersTo } from "../helpers/answers.ts";
import { fakeTime } from "../helpers/fake-time.ts";
import { SESSION_FACES } from "./session-faces.ts";

/** Entries, as they are stored. */
type Log = readonly { readonly [member: string]: unknown }[];

const [[, face]] = SESSION_FACES as [(typeof SESSION_FACES)[number]];

fakeTime("leaps");

/** What is in the store after each append of a script, as a process that dies there leaves it. */
async function play(script: Script): Promise<readonly Log[]> {
  const moments: Log[] = [];
  const store = new (class extends MemoryStore {
    override async append(...given: Parameters<MemoryStore["append"]>): Promise<void> {
      await super.append(...given);
      moments.push((await this.load("s")) as unknown as Log);
    }
  })();
  const open = (): Session =>
    new Agent({ model: script.model(), instructions: "SYSTEM", ...script.agent }).session({ id: "s", store });
  const session = open();
  const quietly = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);
  const scene: Scene = {
    face,
    session,
    other: open(),
    send: (message, options) => quietly(face.send(session, message, options)),
    resume: async (options = {}) => quietly(face.resume(session, await answersTo(session, options))),
    regenerate: (options) => quietly(face.regenerate(session, options)),
  };
  await (script.play ?? (({ send }) => send("Hello.")))(scene);
  await setImmediate();
  return moments;
}

/** A session of a process that found this log, and has nothing to say. */
async function opened(log: Log, { model, agent }: Pick<Script, "model" | "agent"> = NOBODY): Promise<Session> {
  const store = new MemoryStore();
  // As it was stored.
  await store.append("s", 0, log as never);
  return new Agent({ model: model(), ...agent }).session({ id: "s", store });
}

const NOBODY: Pick<Script, "model" | "agent"> = { model: () => new ScriptedModel() };

/** What the model reads of a call without an answer differs by who tells it: whether it may have been made does not. */
function settled(contents: readonly Content[]): readonly Content[] {
  const text = JSON.stringify(contents)
    .replaceAll(
      /"(?:cancelled|interrupted): the (?:run|process) ended before this call finished; it is unknown[^"]*"/g,
      '"(unknown)"',
    )
    .replaceAll(/"cancelled: the run ended before this call finished"/g, '"(open)"')
    .replaceAll(/"not run: the answer this call was waiting for never arrived"/g, '"(open)"');
  return JSON.parse(text) as readonly Content[];
}

/** Contents with the responses of others where those have none. */
function taken(contents: readonly Content[], others: readonly Content[]): readonly Content[] {
  // A note about edited arguments follows a response, and stays away with it.
  const isNote = ({ parts: [first] }: Content): boolean => first?.text?.startsWith("[edited]") === true;
  const told = others.some(isNote) ? contents : contents.filter((content) => !isNote(content));
  return told.map((content, at) => {
    const parts = content.parts.map((part, index) => {
      const other = others[at]?.parts[index];
      return other?.functionResponse?.response["error"] === "(open)" ? other : part;
    });
    return { ...content, parts };
  });
}

const NUDGES = [/^Your last /, /^You called a function that does not exist/, /^Your response does not match/];

/** Without the texts of retries, and the answers that did not match: no step has them. */
function withoutRetries(contents: readonly Content[]): readonly Content[] {
  const isNudge = (content: Content | undefined): boolean =>
    content?.role === "user" && NUDGES.some((nudge) => nudge.test(content.parts[0]?.text ?? ""));
  return contents.filter(
    (content, at) => !isNudge(content) && !(content.role === "model" && isNudge(contents[at + 1])),
  );
}

const plays = new Map<string, Promise<readonly Log[]>>();

function momentsOf(name: string, script: Script): Promise<readonly Log[]> {
  const found = plays.get(name) ?? play(script);
  plays.set(name, found);
  return found;
}

// Where its tool is not known, an outcome from outside is told with the default limits.
const scripts = Object.entries(SCRIPTS).filter(([name]) => !name.includes("is cut for the model"));

describe.each(scripts)("%s: when its process died after any append", (name, script) => {
  test("what the run did is what its loop makes of the same steps", async () => {
    let cuts = 0;
    for (const log of await momentsOf(name, script)) {
      const session = await opened(log, script);
      if ((await session.state()).lastRun !== "cut-off") continue;
      cuts++;
      const runs = log.filter(({ type }) => type === "run").length;
      const replay = session.replay(script.replay?.[runs - 1]);
      await replay.result().catch((error: unknown) => error);
      const expected = withoutRetries(settled(replay.soFar?.contents ?? []));
      const found = withoutRetries(settled(await session.history()));
      // The loop takes answers up together with what comes of the other calls; once they are stored, they are told.
      const hasAnswers = log
        .slice(log.findLastIndex(({ type }) => type === "end") + 1)
        .some(({ type }) => type === "answer");
      expect([log.length, hasAnswers ? taken(found, expected) : found]).toEqual([log.length, expected]);
    }
    expect(cuts).toBeGreaterThan(0);
  });

  test("it is the same without the entries of its turns, and for a run of another loop version", async () => {
    for (const log of await momentsOf(name, script)) {
      const history = await (await opened(log, script)).history();
      const other = log.map((entry) => (entry["type"] === "run" ? { ...entry, loop: 99 } : entry));
      expect(await (await opened(other)).history()).toEqual(history);
      if (!log.some(({ type }) => type === "turn") || log.at(-1)?.["type"] === "end") continue;
      const steps = log.filter(({ type }) => type !== "turn");
      // Places in the log have changed.
      if (log.some(({ type }) => type === "steer" || type === "rewind")) continue;
      const left = await (await opened(steps)).history();
      expect(withoutRetries(settled(left))).toEqual(withoutRetries(settled(history)));
    }
  });
});
