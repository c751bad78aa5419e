import type { Draft, Json, Lease, SessionStore } from "@pollux/core";
import { AWKWARD_ENTRIES } from "./awkward-entries.ts";
import { same } from "./steps-harness.ts";
import { buildInfo, leaseLoss, buildLease, plain, refusal, type StoreChecks, verbatim } from "./store-harness.ts";

const FREE: Lease = buildLease({ held: false });
const NEXT: Lease = buildLease({ token: 2, runId: "run-2", process: { pid: 1, host: ["a", "b"] } });

/** Only one process at a time runs a session. */
export const LEASE_CHECKS: StoreChecks = {
  "a lease is taken, renewed and given back with appends, or without": async (store, reopen) => {
    await store.append("a", 0, [0], { lease: { expected: undefined, next: buildLease() } });
    same(await store.records("a"), { lease: buildLease() }, "records after it was taken");
    same(await store.setLease("a", buildLease(), buildLease({ beat: 1 })), true, "whether it was renewed");
    await store.append("a", 1, [1], { token: 1 });
    same(await store.records("a"), { lease: buildLease({ beat: 1 }) }, "records after it was renewed");
    const back = { expected: buildLease({ beat: 1 }), next: buildLease({ beat: 1, held: false }) };
    await store.append("a", 2, [2], { token: 1, lease: back });
    same(await (await reopen()).records("a"), { lease: back.next }, "records after it was given back");
    await store.append("a", 3, [], { lease: { expected: back.next, next: NEXT } });
    same(await (await reopen()).records("a"), { lease: NEXT }, "records after it was taken without an entry");
    same(await store.load("a"), [0, 1, 2], "load");
    same(await store.setLease("b", undefined, NEXT), true, "whether a lease was taken before the first entry");
    await store.append("b", 0, ["b"], { token: 2 });
    same([await store.load("b"), await store.records("b")], [["b"], { lease: NEXT }], "the other session");
  },
  "a lease changes only if token, beat and held are as expected": async (store, reopen) => {
    const wrong = [undefined, FREE, buildLease({ token: 2 }), buildLease({ beat: 1 })];
    await store.append("a", 0, [0], { lease: { expected: undefined, next: buildLease() } });
    for (const expected of wrong) {
      same(await (await reopen()).setLease("a", expected, NEXT), false, `setLease for ${JSON.stringify(expected)}`);
      const error = await leaseLoss(store.append("a", 1, ["x"], { lease: { expected, next: NEXT } }));
      same([error.sessionId, error.token], ["a", expected?.token], "the error");
    }
    same(await store.setLease("b", buildLease(), NEXT), false, "setLease where there was none");
    await leaseLoss(store.append("b", 0, ["x"], { lease: { expected: FREE, next: NEXT } }));
    same([await store.load("a"), await store.records("a")], [[0], { lease: buildLease() }], "session a");
    same([await store.load("b"), await store.records("b"), (await store.list()).length], [[], {}, 1], "session b");
    same(
      await store.setLease("a", buildLease({ runId: "?", durationMs: 1 }), NEXT),
      true,
      "setLease for the same lease",
    );
  },
  "an append under a token that is not held is refused before its length is compared, and writes nothing": async (
    store,
    reopen,
  ) => {
    const info = buildInfo({ title: "as it was" });
    await store.append("a", 0, [0], { info, lease: { expected: undefined, next: buildLease() } });
    await store.setLease("a", buildLease(), NEXT);
    const other = await reopen();
    for (const length of [0, 1, 7]) {
      const error = await leaseLoss(
        other.append("a", length, ["x"], { token: 1, info: buildInfo({ title: "stale" }) }),
      );
      same([error.sessionId, error.token], ["a", 1], "the error");
      await leaseLoss(store.append("a", length, ["x"], { token: 3 }));
      await leaseLoss(store.append("a", length, [], { token: 1 }));
      await leaseLoss(store.append("a", length, ["x"], { lease: { expected: buildLease(), next: FREE } }));
      await leaseLoss(store.append("a", length, ["x"], { token: 2, lease: { expected: buildLease(), next: FREE } }));
    }
    await leaseLoss(store.append("b", 0, ["x"], { token: 1 }));
    same([await store.load("a"), await store.load("b")], [[0], []], "load");
    await store.append("a", 1, [1], { token: 2 });
    await store.append("a", 2, ["of anybody"]);
    await store.setLease("a", NEXT, { ...NEXT, held: false });
    await leaseLoss(store.append("a", 3, ["x"], { token: 2 }));
    same(await store.load("a"), [0, 1, "of anybody"], "load");
    same(
      (await store.list()).map(({ title }) => title),
      ["as it was"],
      "titles",
    );
  },
  "an append with a wrong length doesn't change lease or info": async (store) => {
    await store.append("a", 0, [0], {
      info: buildInfo({ title: "as it was" }),
      lease: { expected: undefined, next: buildLease() },
    });
    const change = { info: buildInfo({ title: "new" }), token: 1, lease: { expected: buildLease(), next: FREE } };
    await refusal(store.append("a", 0, ["x"], change));
    await refusal(store.append("a", 2, [], change));
    same(await store.records("a"), { lease: buildLease() }, "records");
    same(
      (await store.list()).map(({ title }) => title),
      ["as it was"],
      "titles",
    );
    await store.append("a", 1, ["x"], change);
    same([await store.load("a"), await store.records("a")], [[0, "x"], { lease: FREE }], "what was then written");
    same(
      (await store.list()).map(({ title }) => title),
      ["new"],
      "titles",
    );
  },
  "of those who take a lease at the same time, one wins": async (store, reopen) => {
    const other = await reopen();
    for (let round = 0; round < 10; round++) {
      const id = `s${round}`;
      const next = Array.from({ length: 8 }, (_, index) => buildLease({ runId: `run-${index}` }));
      const settled = await Promise.allSettled(
        next.map(async (lease, index) => {
          const through = index % 2 === 0 ? store : other;
          if (index < 4) await through.append(id, 0, [index], { lease: { expected: undefined, next: lease } });
          else if (!(await through.setLease(id, undefined, lease))) throw new Error("not taken");
        }),
      );
      const winners = next.filter((_, index) => settled[index]?.status === "fulfilled");
      same(winners.length, 1, "winners");
      for (const through of [store, other]) same(await through.records(id), { lease: winners[0] }, "the lease");
      const [winner] = winners;
      const written = next.slice(0, 4).flatMap(({ runId }, index) => (runId === winner?.runId ? [index] : []));
      same(await store.load(id), written, "the entries");
    }
  },
  "when one process renews a lease and another takes it over at the same time, one wins": async (store, reopen) => {
    const other = await reopen();
    for (let round = 0; round < 10; round++) {
      const id = `s${round}`;
      await store.setLease(id, undefined, buildLease());
      const [renewed, taken] = await Promise.all([
        store.setLease(id, buildLease(), buildLease({ beat: 1 })),
        other.append(id, 0, ["taken"], { lease: { expected: buildLease(), next: NEXT } }).then(
          () => true,
          () => false,
        ),
      ]);
      same([renewed, taken].filter(Boolean).length, 1, "winners");
      same((await store.records(id)).lease, taken ? NEXT : buildLease({ beat: 1 }), "the lease");
    }
  },
};

/** Records beside a log. */
export const RECORD_CHECKS: StoreChecks = {
  "a session without records has none, and one without entries is not listed": async (store, reopen) => {
    same(await store.records("a"), {}, "records");
    await store.setDraft("a", 1, draftOf("nobody's"));
    await store.append("b", 0, [0]);
    same([await store.records("a"), await store.records("b")], [{}, {}], "records");
    await store.setLease("a", undefined, buildLease());
    await store.setDraft("a", 1, draftOf("text"));
    await store.requestStop("a", 1);
    const all = { lease: buildLease(), draft: draftOf("text"), stopToken: 1 };
    for (const through of [store, await reopen()]) {
      same(await through.records("a"), all, "records");
      same([await through.load("a"), (await through.list()).map(({ id }) => id)], [[], ["b"]], "load and list");
    }
    same(await store.deleteSessions({ prefix: "a" }), 0, "sessions deleted by a filter");
  },
  "records are deleted with their session, whether it has entries or not": async (store, reopen) => {
    for (const id of ["a", "b"]) {
      await store.setLease(id, undefined, NEXT);
      await store.setDraft(id, 2, draftOf("text"));
      await store.requestStop(id, 2);
    }
    await store.append("b", 0, [0], { token: 2 });
    const other = await reopen();
    for (const id of ["a", "b"]) await store.delete(id);
    for (const through of [store, other])
      for (const id of ["a", "b"]) same([await through.records(id), await through.load(id)], [{}, []], `session ${id}`);
    await leaseLoss(other.append("b", 0, ["x"], { token: 2 }));
    same(await other.setLease("a", undefined, buildLease()), true, "whether the lease was free");
    same(await store.records("a"), { lease: buildLease() }, "records of a session with the same id");
  },
  "a draft is replaced and removed, by the holder of the lease only": async (store, reopen) => {
    await store.append("a", 0, [0], { lease: { expected: undefined, next: buildLease() } });
    await store.setDraft("a", 1, draftOf("one"));
    await store.setDraft("a", 1, draftOf("two"));
    const other = await reopen();
    await other.setDraft("a", 2, draftOf("stale"));
    await other.setDraft("a", 0, undefined);
    for (const through of [store, other]) same((await through.records("a")).draft, draftOf("two"), "the draft");
    await store.setDraft("a", 1, undefined);
    same(await other.records("a"), { lease: buildLease() }, "records after it was removed");
    await other.setDraft("a", 1, draftOf("three"));
    await store.setLease("a", buildLease(), NEXT);
    await other.setDraft("a", 1, draftOf("of the one before"));
    same((await store.records("a")).draft, draftOf("three"), "the draft after the lease was taken over");
    same([await store.load("a"), (await store.list()).map(({ length }) => length)], [[0], [1]], "the log");
  },
  "giving a lease back removes the draft": async (store, reopen) => {
    await store.append("a", 0, [0], { lease: { expected: undefined, next: buildLease() } });
    await store.setDraft("a", 1, draftOf("text"));
    await store.append("a", 1, [1], { token: 1, lease: { expected: buildLease(), next: FREE } });
    same(await (await reopen()).records("a"), { lease: FREE }, "records after it was given back with an append");
    await store.setDraft("a", 1, draftOf("too late"));
    await store.setLease("a", FREE, NEXT);
    same(await (await reopen()).records("a"), { lease: NEXT }, "records after it was taken again");
    await store.setDraft("a", 2, draftOf("text"));
    await store.setLease("a", NEXT, { ...NEXT, held: false });
    await store.setLease("a", { ...NEXT, held: false }, { ...NEXT, token: 3 });
    same(await store.records("a"), { lease: { ...NEXT, token: 3 } }, "records after it was given back without one");
  },
  "a draft of 256 KB and of any text is returned verbatim": async (store, reopen) => {
    await store.setLease("a", undefined, buildLease());
    const texts = AWKWARD_ENTRIES.map((entry) => (typeof entry === "string" ? entry : JSON.stringify(entry)));
    const long = "0123456789abcdefé\u{1f600}".repeat(13_000);
    for (const draft of [
      draftOf(long),
      { ...draftOf(...texts), truncated: true as const },
      {
        ...draftOf(),
        parts: AWKWARD_ENTRIES.map((args) => ({ executableCode: { code: "", args } })) as Draft["parts"],
      },
    ]) {
      await store.setDraft("a", 1, draft);
      for (const through of [store, await reopen()])
        verbatim([(await through.records("a")).draft as unknown as Json], [draft as unknown as Json]);
    }
  },
  "a request to stop is kept for its lease": async (store, reopen) => {
    await store.append("a", 0, [0], { lease: { expected: undefined, next: buildLease() } });
    const other = await reopen();
    await other.requestStop("a", 1);
    same(await store.records("a"), { lease: buildLease(), stopToken: 1 }, "records");
    await store.append("a", 1, [1], { token: 1, lease: { expected: buildLease(), next: NEXT } });
    await store.requestStop("a", 2);
    await other.requestStop("a", 1);
    same(await store.records("a"), { lease: NEXT, stopToken: 2 }, "records after a late request for the one before");
    same(await store.load("a"), [0, 1], "load");
    await store.requestStop("nobody", 1);
    same(
      (await store.list()).map(({ id }) => id),
      ["a"],
      "list",
    );
  },
  "a watcher of a session is notified of changes, made through this store object and any other": async (
    store,
    reopen,
  ) => {
    const changes: readonly ((through: SessionStore, id: string) => Promise<unknown>)[] = [
      (through, id) => through.append(id, 0, [0], { lease: { expected: undefined, next: buildLease() } }),
      (through, id) => through.setDraft(id, 1, draftOf("text")),
      (through, id) => through.setDraft(id, 1, draftOf("more text")),
      (through, id) => through.setLease(id, buildLease(), buildLease({ beat: 1 })),
      (through, id) => through.requestStop(id, 1),
      (through, id) => through.append(id, 1, [1], { token: 1 }),
      (through, id) => through.delete(id),
    ];
    const objects = Object.entries({ this: store, other: await reopen() });
    // Each in its own session, side by side: a store may look for others' changes only now and then.
    const ends = await Promise.allSettled(
      objects.flatMap(([name, through]) =>
        changes.map(async (change, index) => {
          const id = `${name} ${index + 1}`;
          for (const earlier of changes.slice(0, index)) await earlier(through, id);
          await expectNotified(store, id, `change ${index + 1}`, () => change(through, id));
        }),
      ),
    );
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  },
  "a stopped watcher gets no notifications": async (store) => {
    let notifications = 0;
    const stop = store.watch?.("a", () => notifications++);
    await expectNotified(store, "a", "the first change", () => store.append("a", 0, [0]));
    const before = notifications;
    stop?.();
    stop?.();
    await expectNotified(store, "a", "the second change", () => store.append("a", 1, [1]));
    same(notifications, before, "calls after the end");
  },
  "a process that runs is not taken for one that has ended": async (store, reopen) => {
    const { processes } = store;
    if (processes === undefined) return;
    const self = plain(processes.self) as Json;
    same(processes.isGone(self), false, "whether this process has ended");
    same((await reopen()).processes?.isGone(self), false, "whether it has, for another store object");
    for (const unknown of [null, 0, "", "a process", [], {}, { pid: 0 }, { host: "elsewhere" }])
      same(processes.isGone(unknown), false, `whether ${JSON.stringify(unknown)} has surely ended`);
    await store.setLease("a", undefined, buildLease({ process: self }));
    verbatim([(await store.records("a")).lease?.process ?? null], [self]);
  },
};

function draftOf(...texts: readonly string[]): Draft {
  const place = { kind: "model", phase: "work", turn: 1, attempt: 0 } as const;
  return { runId: "run-1", step: "model:1", place, attempt: 1, parts: texts.map((text) => ({ text })) };
}

/** How long to wait before a store counts as never notifying. */
const NEVER_MS = 20_000;

/** Makes a change and waits until the watchers are notified, if the store notifies. */
async function expectNotified(
  store: SessionStore,
  id: string,
  what: string,
  change: () => Promise<unknown>,
): Promise<void> {
  let notify = (): void => {};
  const notified = new Promise<void>((resolve) => (notify = resolve));
  const stop = store.watch?.(id, notify) ?? notify();
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    await change();
    const never = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`watchers were not notified of ${what}`)), NEVER_MS);
    });
    await Promise.race([notified, never]);
  } finally {
    clearTimeout(timer);
    stop?.();
  }
}
