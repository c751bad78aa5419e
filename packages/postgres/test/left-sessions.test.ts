import { Agent, eraseOwner } from "@pollux/core";
import { hangs, say, ScriptedModel } from "@pollux/core/testing";
import { expect, test } from "vitest";
import { onePool } from "./support/one-pool.ts";

const place = onePool();

test("a run that was released goes on in another process without a wait, and what it had said is kept until then", async () => {
  const [one, other] = [place.open({ listen: true }), place.open({ listen: true })];
  const [first, second] = [new ScriptedModel(hangs("One")), new ScriptedModel(say("One, two."))];
  // Whoever had to wait for the lease would wait for an hour.
  const leaseMs = 3_600_000;
  const session = new Agent({ model: first }).session({ id: "s", owner: "ann", store: one, leaseMs });
  const run = session.send("Count.").catch((error: unknown) => error);
  await expect.poll(async () => (await other.records("s")).draft?.parts).toEqual([{ text: "One" }]);
  await session.release();
  expect(await run).toMatchObject({ code: "run_released" });
  expect((await other.records("s")).draft?.parts).toEqual([{ text: "One" }]);
  const { text } = await new Agent({ model: second }).session({ id: "s", store: other, leaseMs }).continue();
  expect(text).toBe("One, two.");

  expect(await eraseOwner("ann", { store: other })).toMatchObject({ sessions: 1, stoppedRuns: 0 });
  expect([await one.load("s"), await one.records("s"), await one.list()]).toEqual([[], {}, []]);
});

test("a run that is going is stopped in whatever process before its session is erased", async () => {
  const [one, other] = [place.open({ listen: true }), place.open({ listen: true })];
  const model = new ScriptedModel(hangs("One"));
  const session = new Agent({ model }).session({ id: "s", owner: "ann", store: one });
  const run = session.send("Count.").catch((error: unknown) => error);
  await expect.poll(() => model.requests.length).toBe(1);
  expect(await eraseOwner("ann", { store: other })).toMatchObject({ sessions: 1, stoppedRuns: 1 });
  expect(await run).toMatchObject({ code: "run_stopped" });
  expect([await one.load("s"), await one.records("s"), await one.list()]).toEqual([[], {}, []]);
});
