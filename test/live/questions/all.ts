import type { Question } from "../question.ts";
import { ANSWER_QUESTIONS } from "./answers.ts";
import { DECISION_QUESTIONS } from "./decisions.ts";
import { FILE_SEARCH_QUESTIONS } from "./file-search.ts";
import { HISTORY_QUESTIONS } from "./history.ts";
import { INTERACTION_QUESTIONS } from "./interactions.ts";
import { REQUEST_QUESTIONS } from "./requests.ts";
import { RULE_QUESTIONS } from "./rules.ts";

/** The questions that only the service can settle, then the wording of every rule. */
export const QUESTIONS: readonly Question[] = [
  ...REQUEST_QUESTIONS,
  ...HISTORY_QUESTIONS,
  ...ANSWER_QUESTIONS,
  ...DECISION_QUESTIONS,
  ...INTERACTION_QUESTIONS,
  ...FILE_SEARCH_QUESTIONS,
  ...RULE_QUESTIONS,
];

/** Marked guesses and switches that can't be asked about. */
export const UNASKABLE: Readonly<Record<string, string>> = {
  maxBodyBytes: "It protects the emulator's own memory; finding the service's limit would upload more than 100 MB.",
  blockedDecisions: "A block can't be provoked without an input that nobody should send.",
  "M-3": "How often a model repeats an id can't be provoked; recordings of real use will show it.",
  "M-6": "Whether a model ever calls under NONE can't be provoked.",
  "E-72": "A file is only processed for a moment; which moment can't be chosen.",
  "E-79": "It would take an address that is closed to robots and belongs to nobody else.",
  "A-3": "It would take a key that has leaked.",
  "E-77": "A prompt of over a million tokens costs more than all other questions.",
  "E-78": "The request would have to be larger than 100 MB.",
  "Retry-After": "Whether a 429 or 503 carries it shows in the recordings once a quota is used up.",
  CORS: "Only pages meet it; the emulator allows every header, as the service's list is not public.",
  "I-39": "A plan of deep research costs what a research costs.",
  "I-42": "So does an answer to one.",
  "I-40": "The claims of a webhook need an address that Google reaches.",
  "K-7": "It takes a store, which a question would leave behind.",
  "K-9": "What a filter finds takes a store with documents; the guide's program shows it.",
  mcpServers: "The parts of server-side MCP need a public MCP server.",
};
