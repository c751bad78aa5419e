import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

interface PackageFile {
  readonly exports: { readonly [door: string]: string | { readonly "pollux-source"?: string } };
}

/** The source of each entry point of the packages. */
function doors(): readonly (readonly [door: string, file: string])[] {
  return ["core", "tools", "emulator", "cli"].flatMap((name) => {
    const folder = join(root, "packages", name);
    const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as PackageFile;
    return Object.entries(exports).flatMap(([door, target]) => {
      const source = typeof target === "string" ? undefined : target["pollux-source"];
      return source === undefined ? [] : [[`@pollux/${name}${door.slice(1)}`, join(folder, source)] as const];
    });
  });
}

/** The names a file exports, each with the file that declares it and its name there. */
function exportsOf(file: string): readonly { readonly name: string; readonly inner: string; readonly file: string }[] {
  const source = readFileSync(file, "utf8");
  const passedOn = [...source.matchAll(/^export (?:type )?\{([^}]*)\} from "(\.[^"]+)"/gm)].flatMap(
    ([, names = "", from = ""]) =>
      names
        .split(",")
        .map((name) => name.trim().replace(/^type /, ""))
        .filter((name) => name !== "")
        .map((name) => {
          const [inner = name, outer = inner] = name.split(" as ");
          return { name: outer, inner, file: join(dirname(file), from) };
        }),
  );
  const own = [
    ...source.matchAll(/^export (?:declare |abstract |async )*(?:function\*?|class|const|interface|type) (\w+)/gm),
  ].map(([, name = ""]) => ({ name, inner: name, file }));
  return [...passedOn, ...own];
}

/** The first sentence of the comment in front of a declaration; undefined without one. */
function summaryOf(name: string, file: string): string | undefined {
  const source = readFileSync(file, "utf8");
  const declared = new RegExp(
    String.raw`^export (?:declare |abstract |async )*(?:function\*?|class|const|interface|type) ${name}\b`,
    "m",
  );
  const at = declared.exec(source)?.index;
  if (at === undefined) throw new Error(`${name} is not declared in ${file}`);
  const comment = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n$/.exec(source.slice(0, at))?.[1];
  const line = comment
    ?.split("\n")
    .map((text) => text.replace(/^\s*\*? ?/, "").trim())
    .find((text) => text !== "");
  return line?.startsWith("@") === true ? undefined : line;
}

describe.each(doors())("%s", (_door, file) => {
  test("everything that can be imported says what it is", () => {
    expect(existsSync(file)).toBe(true);
    const found = exportsOf(file);
    const silent = found
      .filter(({ inner, file: from }) => (summaryOf(inner, from)?.length ?? 0) < 8)
      .map(({ name }) => name);
    expect(silent).toEqual([]);
    expect(found.length).toBeGreaterThan(0);
  });
});

test("the doors are found", () => {
  expect(doors().map(([door]) => door)).toEqual(
    expect.arrayContaining([
      "@pollux/core",
      "@pollux/core/wire",
      "@pollux/core/testing",
      "@pollux/cli",
      "@pollux/emulator",
      "@pollux/tools/files",
    ]),
  );
});

test("what a door exports at run time is what its source lists", async () => {
  for (const [door, file] of doors()) {
    const names = exportsOf(file).map(({ name }) => name);
    const module = (await import(/* @vite-ignore */ door)) as object;
    expect(names, door).toEqual(expect.arrayContaining(Object.keys(module)));
  }
});
