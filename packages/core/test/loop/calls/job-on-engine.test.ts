import { Agent, defineJob, type StepsFactory } from "@pollux/core";
import { settleStep, waitTimedOut, type Op } from "@pollux/core/durable";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { expect, test } from "vitest";

/** An engine that waits inside the run: for a job, by asking every so often, or until its time is up. */
function engine(late: boolean, waits: Op[]): StepsFactory {
  return ({ runId, signal }) => ({
    runId,
    round: (ops) =>
      Promise.all(
        ops.map(async (op) => {
          if (op.kind === "step") return await settleStep(op, { key: op.name, attempt: 1, signal, emit: () => {} });
          waits.push(op);
          if (op.kind !== "wait" || late) return waitTimedOut(op.name, 1);
          for (;;) {
            const value = await op.poll?.check(signal).catch(() => undefined);
            if (value !== undefined) return { ok: true, value };
          }
        }),
      ),
  });
}

function lab() {
  const asked: string[] = [];
  const research = defineJob({
    name: "research",
    description: "Researches.",
    timeoutMs: 90_000,
    checkEveryMs: 2_000,
    start: () => "job-1",
    check: (jobId) => {
      asked.push(jobId);
      if (asked.length === 1) throw new Error("down");
      return asked.length === 2 ? { progress: 50 } : { output: "found" };
    },
    cancel: (jobId) => void asked.push(`cancel ${jobId}`),
  });
  const model = new ScriptedModel(call("research"), say("So."));
  const told = () =>
    model.requests
      .at(-1)
      ?.contents.at(-1)
      ?.parts.map((part) => part.functionResponse?.response);
  return { asked, told, agent: new Agent({ model, tools: [research] }) };
}

test("a durable engine may wait for a job inside the run, and ask how it stands", async () => {
  const { agent, asked, told } = lab();
  const waits: Op[] = [];
  expect((await agent.run("Go.", { steps: engine(false, waits) })).text).toBe("So.");
  expect([asked, told()]).toEqual([["job-1", "job-1", "job-1"], [{ output: "found" }]]);
  expect(waits).toMatchObject([
    { name: "call:1.0/job", timeoutMs: 90_000, poll: { everyMs: 2_000 }, question: { question: "job" } },
  ]);
});

test("a durable engine's own timer ends the wait, and the job is cancelled in a step", async () => {
  const { agent, asked, told } = lab();
  expect((await agent.run("Go.", { steps: engine(true, []) })).text).toBe("So.");
  expect([asked, told()]).toEqual([
    ["cancel job-1"],
    [{ error: "the job did not finish within 90 seconds; it may still be running" }],
  ]);
});
