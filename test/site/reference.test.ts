import { describe, expect, test } from "vitest";
import { tidyReference } from "../../site/src/reference.ts";

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
