import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test, vi } from "vitest";
import { Assets } from "../../src/server/assets.ts";
import { testFolder } from "../support/page-folder.ts";

const REQUEST = new Request("http://localhost/");

async function unbuilt(module?: string) {
  const folder = await testFolder();
  const build = join(folder, "build.mjs");
  if (module !== undefined) await writeFile(build, module);
  return new Assets(join(folder, "page"), pathToFileURL(build));
}

test("a page that has not been built is built when it is first opened, once, with a line about it", async () => {
  using written = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const assets = await unbuilt(`
    import { mkdir, writeFile } from "node:fs/promises";
    const folder = process.argv[2];
    await mkdir(folder);
    await writeFile(folder + "/index.html", "<p>The page</p>");`);
  const [first, second] = await Promise.all([assets.serve("", REQUEST), assets.serve("", REQUEST)]);
  expect([first.status, await first.text()]).toEqual([200, "<p>The page</p>"]);
  expect([second.status, await second.text()]).toEqual([200, "<p>The page</p>"]);
  expect(written.mock.calls.map(([line]) => String(line))).toEqual([
    expect.stringContaining("Building the inspector's page"),
    expect.stringContaining("is built"),
  ]);
});

test.each([
  [undefined, "There is no page in this package."],
  [`throw new Error("vite is <not> installed");`, "vite is &lt;not> installed"],
])("where it can't be built, a page says what to run", async (module, why) => {
  using _ = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const assets = await unbuilt(module);
  const response = await assets.serve("", REQUEST);
  expect(response.status).toBe(503);
  expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
  const text = await response.text();
  expect(text).toContain("node packages/inspector/page/build.ts");
  expect(text).toContain(why);
});
