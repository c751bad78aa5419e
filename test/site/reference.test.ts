import { describe, expect, test } from "vitest";
import { tidyReference } from "../../site/src/reference.ts";
import { bySubject, subjectIndex, subjectPage } from "../../site/src/subjects.ts";

describe("a page of the reference", () => {
  test.each([
    ["says a default in words as text", "#### Default Value\n\n```ts\nnone\n```\n\n***\n", "Default: none\n\n***\n"],
    ["says a default value as code", "#### Default Value\n\n```ts\n60_000\n```\n", "Default: `60_000`\n"],
    [
      "leaves out where a member is inherited from",
      "Text.\n\n#### Inherited from\n\n[`A`](A.md).[`b`](A.md#b)\n\n***\n",
      "Text.\n\n***\n",
    ],
    [
      "lists errors under one heading",
      "## Returns\n\n`A`\n\n## Throws\n\n`X`: When one.\n\n## Throws\n\n`Y`: When two\nlines.\n\n## Example\n",
      "## Returns\n\n`A`\n\n## Throws\n\n- `X`: When one.\n- `Y`: When two\n  lines.\n\n## Example\n",
    ],
    ["ends with its errors", "## Throws\n\n`X`: When one.\n", "## Throws\n\n- `X`: When one.\n"],
    [
      "keeps the errors of members apart",
      "### a()\n\n#### Throws\n\n`X`\n\n***\n\n### b()\n\n#### Throws\n\n`Y`\n\n#### Returns\n",
      "### a()\n\n#### Throws\n\n- `X`\n\n***\n\n### b()\n\n#### Throws\n\n- `Y`\n\n#### Returns\n",
    ],
  ])("%s", (_what, page, tidied) => {
    expect(tidyReference(page)).toBe(tidied);
  });
});

describe("the index of an entry point with many names", () => {
  const source = `export { Agent } from "./agent/agent.ts";
export type { RunEnd } from "./loop/events.ts";
export {
  finished as done,
  type OutputOf,
} from "./agent/output.ts";
`;
  const index = `# @pollux/core

## Classes

| Class | Description |
| :------ | :------ |
| [Agent](classes/Agent.md) | Has a [\`Model\`](./model/interfaces/Model.md). |

## Interfaces

| Interface | Description |
| :------ | :------ |
| [OutputOf](type-aliases/OutputOf.md) | - |
| [RunEnd](interfaces/RunEnd.md) | How a run ended. |
| [done](functions/done.md) | The output. |
`;
  const pages = bySubject("@pollux/core", index, source);

  test("is divided by what the names are about", () => {
    const named = pages
      .filter(({ rows }) => rows.length > 0)
      .map(({ file, rows }) => [file, rows.map(({ name }) => name)]);
    expect(named).toEqual([
      ["agents", ["Agent", "done", "OutputOf"]],
      ["streams-events-and-partial-output", ["RunEnd"]],
    ]);
    expect(subjectIndex("@pollux/core", pages)).toContain(
      "## [Agents](subjects/agents.md)\n\n[Agent](classes/Agent.md), ",
    );
  });

  test("has a page for each subject, whose links lead on", () => {
    const [agents] = pages;
    expect(agents && subjectPage("@pollux/core", agents)).toContain(
      "| [Agent](../classes/Agent.md)<br>class | Has a [`Model`](../model/interfaces/Model.md). |",
    );
  });

  test("has no name without a subject", () => {
    const elsewhere = source.replace("./agent/agent.ts", "./elsewhere/agent.ts");
    expect(() => bySubject("@pollux/core", index, elsewhere)).toThrow(
      "no subject has Agent, which is defined in elsewhere/agent.ts",
    );
  });

  test("stays one page where one is enough", () => {
    expect(bySubject("@pollux/web", index, source)).toEqual([]);
  });
});
