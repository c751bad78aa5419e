import { Agent, approve, defineTool, deny, finished, MemoryStore } from "@pollux/core";
import { calls, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";

const pay = defineTool({
  name: "pay",
  description: "Pays.",
  input: z.object({ to: z.string(), euros: z.number() }),
  needsApproval: true,
  run: ({ to, euros }) => `${euros} to ${to}`,
});
const look = defineTool({ name: "look", description: "Somebody looks." });

/** A session whose last run waits for three answers. */
async function waiting() {
  const store = new MemoryStore();
  const payTo = (to: string, euros: number) => ({ name: "pay", args: { to, euros } });
  const model = new ScriptedModel(calls(payTo("Ann", 5), payTo("Bob", 9), "look"), say("Done."));
  const session = new Agent({ model, tools: [pay, look] }).session({ id: "s", store });
  const result = await session.send("Pay both.");
  if (result.stopReason !== "needs-approval") throw new Error(result.stopReason);
  const [ann, bob, outcome] = result.pending;
  if (ann === undefined || bob === undefined || outcome === undefined) throw new Error("three are pending");
  const outcomes = { [outcome.token]: { output: "seen" } };
  return { session, pending: result.pending, ann, bob, outcome, outcomes };
}

const responsesOf = ({ contents }: { readonly contents: readonly { readonly parts: readonly object[] }[] }) =>
  contents.flatMap(({ parts }) => parts).flatMap((part) => ("functionResponse" in part ? [part.functionResponse] : []));

describe("what waits is", () => {
  test("approved all at once, without what waits for an outcome", async () => {
    const { session, pending, ann, bob, outcomes } = await waiting();
    expect(approve(pending)).toEqual({ [ann.token]: true, [bob.token]: true });
    const result = finished(await session.resume({ approvals: approve(pending), outcomes }));
    expect(responsesOf(result)).toMatchObject([
      { response: { output: "5 to Ann" } },
      { response: { output: "9 to Bob" } },
      { response: { output: "seen" } },
    ]);
  });

  test("decided about one by one, with other arguments and with a reason", async () => {
    const { session, ann, bob, outcomes } = await waiting();
    const approvals = { ...approve(ann, { to: "Ann", euros: 4 }), ...deny(bob, "He was paid.") };
    const result = finished(await session.resume({ approvals, outcomes }));
    expect(responsesOf(result)).toMatchObject([
      { response: { output: expect.stringContaining("4 to Ann") } },
      { response: { error: expect.stringContaining("He was paid.") } },
      { response: { output: "seen" } },
    ]);
  });

  test("denied without a reason", async () => {
    const { pending, ann, bob } = await waiting();
    expect(deny(pending)).toEqual({ [ann.token]: false, [bob.token]: false });
  });

  test("not mistaken for what waits for something else", async () => {
    const { pending, outcome } = await waiting();
    expect(() => approve(outcome)).toThrow("approve(): none of these calls waits for an approval");
    expect(() => deny([])).toThrow("deny(): none of these calls waits for an approval");
    expect(() => approve(pending, { euros: 1 })).toThrow("approve(): arguments are for one call");
  });
});
