import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const packages = fileURLToPath(new URL("../../", import.meta.url));

/** Where only the name of a step is at hand and not its place: runs inside a step, and the list of exchanges. Nothing may be added. */
const LEFT = new Set([
  'otel/src/run-trace.ts: return parent?.step.startsWith("compact:") ?? false;',
  'inspector/page/src/fork/fork-point.ts: const row = exchanges.value.find(({ runId, step = "" }) => runId === run.runId && step.startsWith("model:"));',
]);

/** A comparison with a part of such a name, or a pattern of one: `startsWith("call:")`, `/^(?:model|call):(\d+)/`. */
const PARSES_NAMES =
  /(?:With|includes|indexOf|split|match|search|slice)\(["'`][^"'`]*(?:\b(?:model|call|route|compact|guard):|output\/|\/(?:again|reroute|approval|unknown-outcome)\b)|\/[^/\s]*\b(?:model|call|route|compact|guard)\)?:(?:\(|\\|\[|\.)|parseStepName/;

/** Lines of code that read something from a name; comments may say what one looks like. */
function parsing(text: string): readonly string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => !/^(?:\/?\*|\/\/)/.test(line) && PARSES_NAMES.test(line));
}

test("no source takes the name of a step apart", () => {
  const found = readdirSync(packages).flatMap((name) =>
    ["src", "page/src"].flatMap((folder) => {
      const root = join(packages, name, folder);
      return sources(root).flatMap((file) => {
        const path = `${name}/${folder}/${file}`;
        return parsing(readFileSync(join(root, file), "utf8")).map((line) => `${path}: ${line}`);
      });
    }),
  );
  expect(found.filter((line) => !LEFT.has(line))).toEqual([]);
});

test.each([
  'parent?.step.startsWith("compact:")',
  "const CALL = /^call:(\\d+)\\.(\\d+)$/;",
  "/^(?<output>output\\/)?(?<kind>model|call):(?<turn>\\d+)/.exec(name)",
  'name.endsWith("/approval")',
  'steps.filter((step) => step.split("model:").length > 1)',
])("%s reads a name", (line) => {
  expect(parsing(line)).toEqual([line]);
});

test.each([
  "// such as `call:3.0`",
  "return `route:${turn}`;",
  " * `model:3`",
  "call: string",
  '{ "model": model }',
  'type: "call", call: "x"',
])("%s does not", (line) => {
  expect(parsing(line)).toEqual([]);
});

function sources(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => /\.tsx?$/.test(file));
  } catch {
    return [];
  }
}
