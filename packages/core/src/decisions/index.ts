export { type Answers, decide, type DecideOptions, type Decision } from "./decide.ts";
export { type ChoiceAnswer, type ScoreAnswer, type YesNoAnswer } from "./questions.ts";
export { choice, type Question, type Questions, score, yesNo } from "./questions.ts";
