/** Files by path. */
export type Files = Readonly<Record<string, string | Uint8Array>>;

/** The parsed frontmatter. */
export interface Read {
  readonly description: string;
  readonly license?: string;
  readonly compatibility?: string;
  readonly frontmatter: object;
}

/** Ten skills in the forms found in published ones: every field, each way to quote, other line endings, additional fields. */
export const FORMS: Readonly<Record<string, { readonly files: Files; readonly read: Read; readonly body: string }>> = {
  "plain-words": {
    files: {
      "SKILL.md":
        "---\nname: plain-words\ndescription: Rewrites a text in plain words.\n---\n\n# Plain words\n\nCut.\n",
    },
    read: {
      description: "Rewrites a text in plain words.",
      frontmatter: { name: "plain-words", description: "Rewrites a text in plain words." },
    },
    body: "# Plain words\n\nCut.",
  },
  "double-quoted": {
    files: {
      "SKILL.md":
        '---\nname: "double-quoted"\ndescription: "Use when: somebody says \\"later\\" \\u2014 or # nothing."\nlicense: "MIT"\n---\nAsk when.\n',
    },
    read: {
      description: 'Use when: somebody says "later" — or # nothing.',
      license: "MIT",
      frontmatter: {
        name: "double-quoted",
        description: 'Use when: somebody says "later" — or # nothing.',
        license: "MIT",
      },
    },
    body: "Ask when.",
  },
  "single-quoted": {
    files: {
      "SKILL.md":
        "---\nname: 'single-quoted'\ndescription: 'The owner''s rules: read first.'\nlicense: Complete terms in LICENSE.txt\n---\n\nRead LICENSE.txt.\n",
      "LICENSE.txt": "All rights kept.\n",
    },
    read: {
      description: "The owner's rules: read first.",
      license: "Complete terms in LICENSE.txt",
      frontmatter: {
        name: "single-quoted",
        description: "The owner's rules: read first.",
        license: "Complete terms in LICENSE.txt",
      },
    },
    body: "Read LICENSE.txt.",
  },
  "folded-lines": {
    files: {
      "SKILL.md":
        "---\nname: folded-lines\ndescription: >-\n  Checks a table: sums, dates and\n  names. Use it before a report\n  is sent.\n---\n\nAdd up.\n",
    },
    read: {
      description: "Checks a table: sums, dates and names. Use it before a report is sent.",
      frontmatter: {
        name: "folded-lines",
        description: "Checks a table: sums, dates and names. Use it before a report is sent.",
      },
    },
    body: "Add up.",
  },
  "literal-lines": {
    files: {
      "SKILL.md":
        "---\nname: literal-lines\ndescription: |\n  Translates menus.\n\n  Triggers:\n  - menu\n  - dish\n---\n\n---\n\nKeep the prices.\n",
    },
    read: {
      description: "Translates menus. Triggers: - menu - dish",
      frontmatter: {
        name: "literal-lines",
        description: "Translates menus.\n\nTriggers:\n- menu\n- dish\n",
      },
    },
    body: "---\n\nKeep the prices.",
  },
  "other-line-ends": {
    files: {
      "SKILL.md": "---\r\nname: other-line-ends\r\ndescription: Written on Windows.\r\n---\r\n\r\nOne.\r\nTwo.\r\n",
      "references/more.md": "Three.\r\nFour.\r\n",
    },
    read: {
      description: "Written on Windows.",
      frontmatter: { name: "other-line-ends", description: "Written on Windows." },
    },
    body: "One.\nTwo.",
  },
  "with-mark": {
    files: {
      "SKILL.md": "\uFEFF---\nname: with-mark\ndescription: Begins with a byte order mark.\n---\nGrüße.\n",
    },
    read: {
      description: "Begins with a byte order mark.",
      frontmatter: { name: "with-mark", description: "Begins with a byte order mark." },
    },
    body: "Grüße.",
  },
  "nested-metadata": {
    files: {
      "SKILL.md":
        "---\nname: nested-metadata\ndescription: Has data of a tool.\nmetadata:\n  author: example-org\n  version: 1.10\n  released: 2026-01-31\n  internal: true\n  needs: { bins: [git, jq], env: [] }\n---\nGo.\n",
    },
    read: {
      description: "Has data of a tool.",
      frontmatter: {
        name: "nested-metadata",
        description: "Has data of a tool.",
        metadata: {
          author: "example-org",
          version: "1.10",
          released: "2026-01-31",
          internal: "true",
          needs: { bins: ["git", "jq"], env: [] },
        },
      },
    },
    body: "Go.",
  },
  "with-scripts": {
    files: {
      "SKILL.md":
        "---\nname: with-scripts\ndescription: Counts the words of a file.\nallowed-tools: Bash(wc:*) Read\n---\n\nRun scripts/count.sh FILE.\n",
      "scripts/count.sh": '#!/bin/sh\nwc -w "$1"\n',
    },
    read: {
      description: "Counts the words of a file.",
      frontmatter: {
        name: "with-scripts",
        description: "Counts the words of a file.",
        "allowed-tools": "Bash(wc:*) Read",
      },
    },
    body: "Run scripts/count.sh FILE.",
  },
  "every-field": {
    files: {
      "SKILL.md":
        "---   \n# Fields that one program or another knows\nname: every-field # as its folder\nversion: 2.0\ndescription: Draws a chart of numbers,\n  in the colors of the house.\nlicense: Apache-2.0\ncompatibility: Needs Python 3.12 and network access.\nallowed-tools:\n  - Read\n  - Bash(python:*)\nuser-invocable: false\nargument-hint: '[file]'\n---   \n\nSee [colors](references/colors.md) and assets/logo.png.\n",
      "references/colors.md": "Blue.\n",
      "assets/logo.png": Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13),
      "assets/empty.txt": "",
    },
    read: {
      description: "Draws a chart of numbers, in the colors of the house.",
      license: "Apache-2.0",
      compatibility: "Needs Python 3.12 and network access.",
      frontmatter: {
        name: "every-field",
        version: "2.0",
        description: "Draws a chart of numbers, in the colors of the house.",
        license: "Apache-2.0",
        compatibility: "Needs Python 3.12 and network access.",
        "allowed-tools": ["Read", "Bash(python:*)"],
        "user-invocable": "false",
        "argument-hint": "[file]",
      },
    },
    body: "See [colors](references/colors.md) and assets/logo.png.",
  },
};
