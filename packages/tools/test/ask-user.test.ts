import { Agent, MemoryStore } from "@pollux/core";
import { call, calls, say, ScriptedModel } from "@pollux/core/testing";
import { askUser, userAnswer, type UserQuestion, userQuestions } from "@pollux/tools/ask-user";
import { describe, expect, test } from "vitest";

const ASKED = { question: "Which color?", choices: ["Red", "Blue"] };

describe.each(["run", "stream"])("a question to the user, read by %s", (face) => {
  test("ends the run, and the session continues with the answer in another process", async () => {
    const store = new MemoryStore();
    const model = new ScriptedModel(call("ask_user", ASKED), say("Blue it is."));
    const open = () => new Agent({ model, tools: [askUser()] }).session({ id: "s", store });
    const session = open();
    const asked = face === "run" ? await session.send("Paint it.") : await session.stream("Paint it.").result();
    if (asked.stopReason !== "needs-outcome") throw new Error(asked.stopReason);
    const [question] = userQuestions(asked.pending);
    expect(question).toEqual({ token: expect.any(String), ...ASKED });

    const outcomes = { [question?.token ?? ""]: userAnswer("Blue") };
    const result =
      face === "run" ? await open().resume({ outcomes }) : await open().resumeStream({ outcomes }).result();
    expect(result).toMatchObject({ stopReason: "finished", text: "Blue it is." });
    expect(model.requests[1]?.contents.at(-1)?.parts[0]?.functionResponse?.response).toEqual({
      output: { answer: "Blue" },
    });
  });

  test("is asked by a callback while the run waits; no answer is something the model can go on from", async () => {
    const heard: UserQuestion[] = [];
    const answers = ["Blue", undefined];
    const ask = (question: UserQuestion) => (heard.push(question), Promise.resolve(answers[heard.length - 1]));
    const model = new ScriptedModel(call("ask_user", ASKED), call("ask_user", { question: "Why?" }), say("Well."));
    const agent = new Agent({ model, tools: [askUser({ ask })] });
    await (face === "run" ? agent.run("Paint it.") : agent.stream("Paint it.").result());
    expect(heard).toEqual([ASKED, { question: "Why?" }]);
    expect([1, 2].map((n) => model.requests[n]?.contents.at(-1)?.parts[0]?.functionResponse?.response)).toEqual([
      { output: { answer: "Blue" } },
      { error: "the user did not answer; continue as best you can without an answer" },
    ]);
  });
});

test("a wait for a callback ends: by its time, and with the run", async () => {
  const signals: AbortSignal[] = [];
  const never = askUser({
    timeoutMs: 20,
    ask: (_question, { signal }) => (signals.push(signal), new Promise(() => {})),
  });
  const model = new ScriptedModel(call("ask_user", { question: "Why?" }), say("Well."));
  await new Agent({ model, tools: [never] }).run("Go.");
  expect(model.requests[1]?.contents.at(-1)?.parts[0]?.functionResponse?.response).toEqual({
    error: "ask_user timed out after 20 ms",
  });
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
});

test("only questions to the user are found among what a run waits for, and bad ones are never asked", async () => {
  const model = new ScriptedModel(
    calls({ name: "ask_user", args: { question: "" } }, { name: "ask", args: { question: "Who?" } }),
    say("?"),
  );
  const agent = new Agent({ model, tools: [askUser(), askUser({ name: "ask" })] });
  const asked = await agent.session().send("Go.");
  const pending = asked.stopReason === "needs-outcome" ? asked.pending : [];
  expect(userQuestions(pending)).toEqual([]);
  expect(userQuestions(pending, "ask")).toEqual([{ token: pending[0]?.token, question: "Who?" }]);
});

test("a refused answer is reported as refused", () => {
  expect(userAnswer(undefined)).toEqual({
    error: "the user did not answer; continue as best you can without an answer",
  });
});
