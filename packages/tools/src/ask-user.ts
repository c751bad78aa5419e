export {
  askUser,
  type AskUserOptions,
  type PendingUserQuestion,
  type UserAnswer,
  userAnswer,
  type UserQuestion,
  userQuestions,
} from "./ask-user/ask-user.ts";
