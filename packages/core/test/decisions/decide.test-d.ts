import { choice, decide, type Question, score, yesNo } from "@pollux/core/decisions";
import { expectTypeOf, test } from "vitest";

test("answers have the types of their questions", async () => {
  const decision = await decide("x", {
    refund: yesNo("?"),
    team: choice("?", ["billing", "support"]),
    topic: choice("?", { cats: "about cats", dogs: "about dogs" }),
    tone: score("?", ["low", "high"]),
  });
  if (decision.status === "blocked") {
    expectTypeOf(decision.blockReason).toEqualTypeOf<string>();
    // @ts-expect-error A blocked input has no answers.
    void decision.answers;
    return;
  }
  const { refund, team, topic, tone } = decision.answers;
  expectTypeOf(refund.yes).toEqualTypeOf<boolean>();
  expectTypeOf(team.choice).toEqualTypeOf<"billing" | "support">();
  expectTypeOf(team.probabilities).toEqualTypeOf<{ readonly billing: number; readonly support: number }>();
  expectTypeOf(topic.choice).toEqualTypeOf<"cats" | "dogs">();
  expectTypeOf(tone.level).toEqualTypeOf<"low" | "high">();
  expectTypeOf(tone.score).toEqualTypeOf<number>();
  // @ts-expect-error There is no such question.
  void decision.answers.other;
  // @ts-expect-error The answer to a yes/no question has no choice.
  void refund.choice;
});

test("answers of questions in a variable are one of three", async () => {
  const questions: Record<string, Question> = { refund: yesNo("?"), team: choice("?", ["billing", "support"]) };
  const decision = await decide("x", questions);
  if (decision.status === "blocked") return;
  const answer = decision.answers["refund"];
  expectTypeOf(answer?.confidence).toEqualTypeOf<number | undefined>();
  if (answer !== undefined && "yes" in answer) expectTypeOf(answer.yes).toEqualTypeOf<boolean>();
});

test("takes questions only", () => {
  // @ts-expect-error A text is no question.
  void (() => decide("x", { q: "Is it?" }));
  // @ts-expect-error Instructions are texts.
  yesNo({ text: "?" });
});
