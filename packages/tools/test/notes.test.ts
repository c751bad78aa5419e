import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent, MemoryStore, type SessionStore } from "@pollux/core";
import { SessionConflictError } from "@pollux/core/errors";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import {
  fileNotes,
  memoryNotes,
  type Note,
  type NoteStore,
  noteTools,
  type NoteToolOptions,
  sessionNotes,
} from "@pollux/tools/notes";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pollux-notes-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Runs one call after the other, and gives what the model read of each. */
async function read(
  options: NoteToolOptions,
  ...asked: readonly (readonly [string, Record<string, string | number>])[]
): Promise<unknown[]> {
  const model = new ScriptedModel(...asked.map(([name, args]) => call(name, args)), say("Done."));
  const { added } = await new Agent({ model, tools: noteTools(options), limits: { repeats: Infinity } }).run("Go.");
  return added.flatMap(({ parts }) =>
    parts.flatMap(({ functionResponse }) => (functionResponse === undefined ? [] : [functionResponse.response])),
  );
}

/** A store with these texts, a minute apart. */
function withTexts(...texts: readonly string[]): NoteStore {
  return memoryNotes(texts.map((text, index) => ({ id: `note${index + 1}`, text, updatedAt: index * 60_000 })));
}

const STORES: readonly (readonly [string, () => { open(): NoteStore }])[] = [
  [
    "memory",
    () => {
      const store = memoryNotes();
      return { open: () => store };
    },
  ],
  ["a file", () => ({ open: () => fileNotes(join(folder, "notes.json")) })],
  [
    "a session store",
    () => {
      const store = new MemoryStore();
      return { open: () => sessionNotes({ store, session: "s" }) };
    },
  ],
];

describe.each(STORES)("notes in %s", (_name, kept) => {
  test("are written, found, changed and deleted, also after they are opened again", async () => {
    const place = kept();
    const [written] = (await read({ store: place.open() }, ["write_note", { text: " Ada likes green tea. " }])) as [
      { output: { id: string } },
    ];
    const { id } = written.output;
    expect(written).toEqual({ output: { id: expect.stringMatching(/^[0-9a-f]{8}$/) } });

    expect(
      await read(
        { store: place.open() },
        ["search_notes", { query: "TEA" }],
        ["update_note", { id, text: "Ada likes black tea." }],
        ["search_notes", {}],
        ["delete_note", { id }],
        ["delete_note", { id }],
        ["update_note", { id, text: "?" }],
      ),
    ).toEqual([
      { output: { notes: [{ id, text: "Ada likes green tea.", updated: expect.any(String) }], found: 1, total: 1 } },
      { output: { id } },
      { output: { notes: [{ id, text: "Ada likes black tea.", updated: expect.any(String) }], found: 1, total: 1 } },
      { output: { id, deleted: true } },
      { output: { id, deleted: false } },
      { error: `there is no note "${id}"; use search_notes to find the IDs` },
    ]);
    expect(await place.open().load()).toEqual([]);
  });

  test("side by side lose nothing, and a changed note moves to the end", async () => {
    const store = kept().open();
    const put = (id: string): Promise<string> =>
      store.change(() => ({ changes: [{ put: { id, text: id, updatedAt: 1 } }], result: id }));
    expect(await Promise.all(["a", "b", "c"].map(put))).toEqual(["a", "b", "c"]);
    await put("a");
    expect((await store.load()).map((note: Note) => note.id)).toEqual(["b", "c", "a"]);
  });

  test("a decision that throws changes nothing, and the next one works", async () => {
    const store = kept().open();
    await expect(
      store.change(() => {
        throw new Error("no");
      }),
    ).rejects.toThrow("no");
    await store.change(() => ({ changes: [{ put: { id: "a", text: "a", updatedAt: 1 } }], result: undefined }));
    expect(await store.load()).toEqual([{ id: "a", text: "a", updatedAt: 1 }]);
  });
});

describe("bounds", () => {
  test("a note with the same text is not written twice, ignoring case, accents and space", async () => {
    expect(
      await read({ store: withTexts("Zoë lives in Köln") }, ["write_note", { text: "zoe  LIVES in\nkoln" }]),
    ).toEqual([{ output: { id: "note1", duplicate: true } }]);
    expect(await read({ store: withTexts("one", "two") }, ["update_note", { id: "note2", text: "One" }])).toEqual([
      { error: "note note1 already says that; delete note2 instead, or write something else" },
    ]);
  });

  test("too many notes and too long ones are refused with what to do", async () => {
    expect(await read({ store: withTexts("one", "two"), maxNotes: 2 }, ["write_note", { text: "three" }])).toEqual([
      { error: "there are already 2 notes, the maximum; delete or merge some" },
    ]);
    const [refusal] = await read({ maxCharacters: 10 }, ["write_note", { text: "x".repeat(11) }]);
    expect(refusal).toEqual({ error: expect.stringContaining("10 characters") });
  });

  test("options that cannot be are an error", () => {
    expect(() => noteTools({ maxNotes: 0 })).toThrow("noteTools(): maxNotes must be an integer of at least 1, got 0");
    expect(() => fileNotes(" ")).toThrow("fileNotes(): path must not be empty");
    expect(() => sessionNotes({ store: new MemoryStore(), session: "" })).toThrow("session must not be empty");
  });
});

test("a search puts notes with more of the words first, newer before older, and says how many there are", async () => {
  const store = withTexts("Tea in Köln", "Coffee in Oslo", "Tea and coffee", "Nothing");
  expect(await read({ store, pageSize: 2 }, ["search_notes", { query: "tea, coffee; koln?" }])).toEqual([
    {
      output: {
        notes: [
          { id: "note3", text: "Tea and coffee", updated: "1970-01-01T00:02:00.000Z" },
          { id: "note1", text: "Tea in Köln", updated: "1970-01-01T00:00:00.000Z" },
        ],
        found: 3,
        total: 4,
      },
    },
  ]);
  expect(await read({ store }, ["search_notes", { query: "!?" }])).toEqual([
    { output: { notes: [], found: 0, total: 4 } },
  ]);
});

describe("a file of notes", () => {
  test("is replaced as a whole and readable by its owner only", async () => {
    const path = join(folder, "notes.json");
    await read({ store: fileNotes(path) }, ["write_note", { text: "one" }]);
    expect(await readdir(folder)).toEqual(["notes.json"]);
    expect(JSON.parse(await readFile(path, "utf8"))).toEqual({
      version: 1,
      notes: [{ id: expect.any(String), text: "one", updatedAt: expect.any(Number) }],
    });
  });

  test.each(["", "[]", '{"version":2,"notes":[]}', '{"version":1,"notes":[7]}'])(
    "that holds %j is not overwritten",
    async (text) => {
      const path = join(folder, "notes.json");
      await writeFile(path, text);
      const store = fileNotes(path);
      await expect(store.change(() => ({ changes: [{ remove: "a" }], result: 1 }))).rejects.toThrow(
        `${path} is not a notes file; move it away to start fresh`,
      );
      expect(await readFile(path, "utf8")).toBe(text);
    },
  );
});

describe("notes beside a session", () => {
  test("live under notes:<session>, as an append-only log", async () => {
    const store = new MemoryStore();
    const notes = sessionNotes({ store, session: "chat" });
    await notes.change(() => ({ changes: [{ put: { id: "a", text: "one", updatedAt: 1 } }], result: 0 }));
    await notes.change(() => ({ changes: [{ remove: "a" }], result: 0 }));
    expect(await store.load("notes:chat")).toEqual([{ put: { id: "a", text: "one", updatedAt: 1 } }, { remove: "a" }]);
  });

  test("when another process writes first, the change is decided again", async () => {
    const store = new MemoryStore();
    let others = 2;
    const racing: Pick<SessionStore, "load" | "append"> = {
      load: (id, from) => store.load(id, from),
      append: async (id, length, entries) => {
        if (others-- > 0) await store.append(id, length, [{ put: { id: `other${others}`, text: "x", updatedAt: 1 } }]);
        await store.append(id, length, entries);
      },
    };
    const seen: number[] = [];
    await sessionNotes({ store: racing, session: "s" }).change((notes) => {
      seen.push(notes.length);
      return { changes: [{ put: { id: "mine", text: "y", updatedAt: 1 } }], result: 0 };
    });
    expect(seen).toEqual([0, 1, 2]);
    expect((await sessionNotes({ store, session: "s" }).load()).map(({ id }) => id)).toEqual([
      "other1",
      "other0",
      "mine",
    ]);
  });

  test("a store that always conflicts is given up, and an entry that is no note is an error", async () => {
    const store = new MemoryStore();
    const never: Pick<SessionStore, "load" | "append"> = {
      load: (id, from) => store.load(id, from),
      append: (id) => Promise.reject(new SessionConflictError(id, 0, 1)),
    };
    await expect(
      sessionNotes({ store: never, session: "s" }).change(() => ({ changes: [{ remove: "a" }], result: 0 })),
    ).rejects.toThrow(SessionConflictError);
    await store.append("notes:s", 0, [{ put: 7 }]);
    await expect(sessionNotes({ store, session: "s" }).load()).rejects.toThrow('entry 0 of "notes:s" is not a note');
  });
});
