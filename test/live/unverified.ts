import { isGuessed, RULES } from "../../packages/emulator/test/listed-rules.ts";
import { describeChange, type Question } from "./question.ts";
import { QUESTIONS, UNASKABLE } from "./questions/all.ts";
import { table } from "./report.ts";
import { createAsk } from "./service.ts";
import { emulated } from "./targets.ts";

/** The page, from the root of the repository. */
export const UNVERIFIED_PAGE = "docs/unverified.md";

/** The page of unverified behavior of the service. */
export async function unverifiedPage(): Promise<string> {
  const asked = QUESTIONS.filter(({ id }) => !id.startsWith("rule-"));
  const guesses = QUESTIONS.filter(({ id, marks }) => id.startsWith("rule-") && marks.some(isGuess));
  const known = RULES.filter((rule) => rule.certainty === "known" && !isGuessed(rule)).map(({ id }) => id);
  const head = ["question", "marked at", "the emulator says", "otherwise"];
  const rows = async (questions: readonly Question[]): Promise<string> =>
    table(head, await Promise.all(questions.map(rowOf)));
  return `# Unverified

Nothing here has ever met the service. This page lists what that leaves open; a program writes it from the questions that
\`npx pnpm@12.21.0 live\` asks as soon as there is a key.

The program asks each question of the service and of [the emulator](../packages/emulator/README.md), and says what to change where
they differ. It also runs every example and keeps every law once. It costs less than two dollars; \`--help\` has its options.

## Guesses of the emulator

A rule that rests on a guess, or that nothing public shows. \`strict: { guesses: false }\` switches most of them off.

${await rows(guesses)}

## Open questions

${await rows(asked)}

## Wordings

The condition of these rules is certain, and their wording second-hand: ${known.join(", ")}. The program compares the words of every rule.

## What can't be asked

${table(
  ["what", "why not"],
  Object.entries(UNASKABLE).map(([name, reason]) => [`\`${name}\``, reason]),
)}
`;
}

function isGuess(id: string): boolean {
  return RULES.some((rule) => rule.id === id && isGuessed(rule));
}

async function rowOf({ asks, marks, services, changes, ask }: Question): Promise<readonly string[]> {
  const [service = "developer"] = services;
  const { endpoint, send } = emulated(service);
  const { is } = await ask(createAsk(endpoint, send, async () => {}));
  const others = Object.entries(changes).filter(([reading]) => reading !== is);
  const otherwise = others.map(
    ([reading, change]) =>
      `${reading}: ${"options" in change ? `\`${optionsOf(describeChange(change))}\`` : change.file}`,
  );
  const names = marks.map((mark) => (/^[A-Z]-\d|^[a-z]\w*$/.test(mark) ? `\`${mark}\`` : mark));
  return [asks, names.join(", "), is, otherwise.join("; ")];
}

/** The options without the report's sentence around them. */
function optionsOf(change: string): string {
  return /^createEmulator\(\{ (.+) \}\):/.exec(change)?.[1] ?? change;
}
