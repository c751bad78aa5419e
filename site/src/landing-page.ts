import { plain, sectionOf, summaryOf, titleOf } from "./markdown.ts";
import { readFile } from "./repository.ts";

/** The logo, as the site serves it. */
export const LOGO = "images/logo.svg";

/** Package managers: what makes a project, and what adds the packages to one. */
const COMMANDS: readonly (readonly [name: string, create: string, add: string])[] = [
  ["npm", "npm create pollux@latest", "npm install @pollux/core zod"],
  ["pnpm", "pnpm create pollux@latest", "pnpm add @pollux/core zod"],
  ["yarn", "yarn create pollux", "yarn add @pollux/core zod"],
  ["bun", "bun create pollux@latest", "bun add @pollux/core zod"],
];

/**
 * The first page, made of the README and of the pages with figures: what it is, how to get it, how it looks, three reasons, code, and the
 * figures.
 *
 * @param readme - With links that lead to pages of the site.
 */
export function landingPage(readme: string): string {
  const [chat, inspector] = [...readme.matchAll(/^<picture>[^]*?^<\/picture>$/gm)].map(([picture]) => picture);
  const [code, output, ...rest] = sectionOf(readme, "An agent").split(/(?<=^```$)\n\n/m);
  if (chat === undefined || inspector === undefined || code === undefined || output === undefined)
    throw new Error("README.md no longer has what the first page is made of: two films, a program and its output");
  return [
    "---",
    "title: Pollux",
    "titleTemplate: Tool-using agents on the Gemini API",
    "layout: page",
    "sidebar: false",
    `description: ${JSON.stringify(summaryOf(readme))}`,
    "---",
    "",
    '<main class="vp-doc landing-text">',
    "",
    '<div class="hero">',
    "",
    `<img class="logo" src="/${LOGO}" width="64" height="64" alt="">`,
    "",
    `# ${titleOf(readme)}`,
    "",
    `<p class="tagline">${plain(summaryOf(readme))}</p>`,
    "",
    '<div class="actions">',
    "",
    "[Get started](./guides/getting-started.md) [Guides](./guides/index.md) [Reference](./reference/index.md)",
    "",
    "</div>",
    "",
    "::: code-group",
    "",
    ...COMMANDS.map(
      ([name, create, add]) =>
        `\`\`\`sh [${name}]\n# A new project; it needs no key:\n${create}\n# In a project that you have:\n${add}\n\`\`\`\n`,
    ),
    ":::",
    "",
    "</div>",
    "",
    '<div class="films">',
    "",
    film(chat, "A chat page on an agent: sources, a call that waits for approval, and its result."),
    "",
    film(inspector, "The inspector: what a run did, turn by turn, down to the bytes."),
    "",
    "</div>",
    "",
    '<div class="reasons">',
    "",
    ...reasons().flatMap(({ figure, title, text }) => [
      '<div class="reason">',
      "",
      `<p class="figure">${figure}</p>`,
      "",
      `## ${title}`,
      "",
      text,
      "",
      "</div>",
      "",
    ]),
    "</div>",
    "",
    "## An agent",
    "",
    '<div class="program">',
    "",
    code,
    "",
    output,
    "",
    "</div>",
    "",
    ...rest,
    "",
    ...["Why", "Compared with others", "Where to go next"].flatMap((heading) => [
      `## ${heading === "Why" ? "More reasons" : heading}`,
      "",
      heading === "Why" ? moreReasons(sectionOf(readme, heading)) : sectionOf(readme, heading),
      "",
    ]),
    "</main>",
    "",
  ].join("\n");
}

function film(picture: string, caption: string): string {
  // On one line, so that Markdown leaves it as it is.
  const html = picture.replaceAll(/\s*\n\s*/g, "");
  return `<figure>${html}<figcaption>${caption}</figcaption></figure>`;
}

/** Of `bench/results.json`, what is shown here. */
interface Results {
  readonly rows: readonly {
    readonly id: string;
    readonly figures: readonly { readonly driver: string; readonly figure: number }[];
  }[];
}

interface Reason {
  readonly figure: string;
  readonly title: string;
  readonly text: string;
}

/** Three reasons, with figures as the pages have them that programs write. */
function reasons(): readonly Reason[] {
  const [, values = "", lost = ""] = find(
    "docs/contract.md",
    /^.*Of ([\d,]+) values compared, [^]*? and (\d+) are lost\./m,
  );
  const [, exchanges = ""] = find("docs/contract.md", /^\d+ files, (\d+) exchanges,/m);
  const [, empty = ""] = find("README.md", /^\| an empty answer is not a success +\| yes +\| (\d) +\|$/m);
  const { rows } = JSON.parse(readFile("bench/results.json")) as Results;
  const times = (id: string, driver: string): string =>
    rows
      .find((row) => row.id === id)
      ?.figures.find((figure) => figure.driver === driver)
      ?.figure.toPrecision(2) ?? "?";
  return [
    {
      figure: `${lost} of ${values}`,
      title: "Nothing is lost in translation",
      text: `Pollux has no message format of its own. In ${Number(exchanges).toLocaleString("en-US")} recorded exchanges with the service, it [loses ${lost} of ${values} values](./contract.md).`,
    },
    {
      figure: `${6 - Number(empty)} of 6`,
      title: "An ending you can trust",
      text: `${6 - Number(empty)} of 6 other libraries report an empty answer [as a success](./comparison.md#behavior). Pollux asks again, and a run says with one of thirteen stop reasons how it ended.`,
    },
    {
      figure: `${times("loop", "pollux")} ×`,
      title: "Little overhead",
      text: `A ten-turn run takes ${times("loop", "pollux")} times the CPU of a handwritten \`fetch\` loop, where the AI SDK takes ${times("loop", "ai-sdk")}; a streamed chunk ${times("stream", "pollux")} times, where it takes ${times("stream", "ai-sdk")} ([comparison](./comparison.md#cpu)).`,
    },
  ];
}

function find(page: string, pattern: RegExp): RegExpExecArray {
  const found = pattern.exec(readFile(page));
  if (found === null) throw new Error(`${page} no longer has the figure that the first page shows: ${String(pattern)}`);
  return found;
}

/** The reasons of the README that are not among the three. */
function moreReasons(list: string): string {
  return list
    .split(/^(?=- )/m)
    .filter((item) => !/^- \*\*(?:Nothing is lost|An ending|Little overhead)/.test(item))
    .join("")
    .trim();
}
