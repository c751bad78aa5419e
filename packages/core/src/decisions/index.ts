export { type Answers, choice, decide, type DecideOptions, type Decision, score, yesNo } from "./decide.ts";
export type { ChoiceAnswer, Question, Questions, ScoreAnswer, YesNoAnswer } from "./decide.ts";
