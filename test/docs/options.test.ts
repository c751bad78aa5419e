import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readPage, ROOT } from "./support/pages.ts";

/** By heading of a section: the interfaces whose options it lists, minus the ones of another section. */
const SECTIONS = {
  "Agents and runs": { of: ["SharedOptions"], less: [] },
  Limits: { of: ["Limits", "RemainingLimits"], less: [] },
  Hooks: { of: ["Hooks"], less: [] },
  "Agents only": { of: ["AgentOptions"], less: ["SharedOptions"] },
  "Runs only": { of: ["RunOptions"], less: ["SharedOptions"] },
  Settings: { of: ["ModelSettings"], less: [] },
  "`gemini()`": { of: ["GeminiOptions"], less: [] },
  Tools: { of: ["ToolOptions"], less: [] },
  Sessions: { of: ["SessionOptions", "ContinueOptions", "RewindOptions", "RegenerateOptions"], less: [] },
};

const interfaces = readInterfaces(join(ROOT, "packages/core/src"));

test.each(Object.entries(SECTIONS))(
  "the page of options lists all under %s, and nothing else",
  (heading, { of, less }) => {
    const others = new Set(less.flatMap(membersOf));
    const options = of.flatMap(membersOf).filter((option) => !others.has(option));
    expect(options.length).toBeGreaterThan(2);
    expect(listed(heading).toSorted()).toEqual([...new Set(options)].toSorted());
  },
);

/** The discriminants of unions, which explain themselves. */
const NAMED_BY_THEIR_VALUE: ReadonlySet<string> = new Set(["stopReason", "status"]);

test.each([
  ...Object.values(SECTIONS).flatMap(({ of }) => of),
  "FinishedRun",
  "LimitedRun",
  "BlockedRun",
  "BadCallRun",
  "InvalidOutputRun",
  "GuardrailRun",
  "NeedsApprovalRun",
  "Source",
  "RunSoFar",
  "RunOutputs",
  "CodeRun",
  "UrlRetrieval",
  "PendingCall",
  "GuardrailStop",
  "RunContext",
  "Prices",
  "SessionFilter",
  "HandoffOptions",
  "MediaOptions",
])("every member of %s has a doc comment", (name) => {
  const undocumented = (one: string): readonly string[] => {
    const { members, body, parents } = interfaces.get(one) ?? { members: [], body: "", parents: [] };
    const lines = body.split("\n");
    const found = lines.flatMap((line, at) => {
      const member = /^ {2}(?:readonly )?(\w+)\??[:(]/.exec(line)?.[1];
      return member === undefined || NAMED_BY_THEIR_VALUE.has(member) || lines[at - 1]?.endsWith("*/") ? [] : [member];
    });
    return [
      ...found,
      ...parents.flatMap(({ of, picked }) =>
        undocumented(of).filter((option) => (picked?.has(option) ?? true) && !members.includes(option)),
      ),
    ];
  };
  expect(interfaces.has(name)).toBe(true);
  expect(undocumented(name)).toEqual([]);
});

/** The code in the first column of a section's table. */
function listed(heading: string): readonly string[] {
  const section =
    readPage("docs/guides/options.md")
      .split(/^##+ /m)
      .find((text) => text.startsWith(`${heading}\n`)) ?? "";
  return [...section.matchAll(/^\| (`.+?`) +\|/gm)].flatMap(([, cell = ""]) =>
    [...cell.matchAll(/`(\w+)`/g)].map(([, option = ""]) => option),
  );
}

/** The members of an interface and of its base interfaces. */
function membersOf(name: string): readonly string[] {
  const found = interfaces.get(name);
  if (found === undefined) throw new Error(`there is no interface ${name}`);
  const inherited = found.parents.flatMap(({ of, picked }) => membersOf(of).filter((one) => picked?.has(one) ?? true));
  return [...new Set([...found.members, ...inherited])];
}

interface Parent {
  readonly of: string;
  /** The members of a `Pick`; absent for all. */
  readonly picked?: ReadonlySet<string>;
}

interface Interface {
  readonly members: readonly string[];
  readonly body: string;
  /** The interfaces that it extends. */
  readonly parents: readonly Parent[];
}

/** The exported interfaces of a folder, by name. The formatter fixes their layout: members are indented by two, and `}` ends them. */
function readInterfaces(folder: string): ReadonlyMap<string, Interface> {
  const found = new Map<string, Interface>();
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".ts")) continue;
    const text = readFileSync(join(folder, file), "utf8");
    for (const [, name = "", head = "", body = ""] of text.matchAll(
      /^export interface (\w+)([^{}]*)\{\n([^]*?)^\}/gm,
    )) {
      const members = [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??[:(]/gm)].map(([, member = ""]) => member);
      found.set(name, { members, body, parents: parentsIn(withoutTypeParameters(head), text) });
    }
  }
  return new Map(
    Array.from(found, ([name, one]) => [name, { ...one, parents: one.parents.filter(({ of }) => found.has(of)) }]),
  );
}

/** @param text - Text of the file: a `Pick` may refer to a list in it. */
function parentsIn(head: string, text: string): readonly Parent[] {
  const picks: Parent[] = [];
  const rest = head.replaceAll(/Pick<\s*(\w+),\s*([^>]*)>/g, (_all, of: string, names: string) => {
    const list = /typeof (\w+)/.exec(names)?.[1];
    const source = list === undefined ? names : (new RegExp(`const ${list} = \\[([^\\]]*)`).exec(text)?.[1] ?? "");
    picks.push({ of, picked: new Set(Array.from(source.matchAll(/"(\w+)"/g), ([, one = ""]) => one)) });
    return "";
  });
  return [...picks, ...Array.from(rest.matchAll(/\w+/g), ([of]) => ({ of }))];
}

/** The text after the name of an interface, from `extends` on. */
function withoutTypeParameters(head: string): string {
  let depth = 0;
  for (const { 0: sign, index } of head.matchAll(/[<>]|\bextends\b/g)) {
    if (sign === "extends" && depth === 0) return head.slice(index);
    depth += sign === "<" ? 1 : sign === ">" ? -1 : 0;
  }
  return "";
}
