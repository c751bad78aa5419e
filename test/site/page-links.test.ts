import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { deadTargets, readBuiltPages } from "./support/page-links.ts";

const files = new Set(["index.html", "a.txt", "guides/index.html"]);

test.each([
  ['<a href="./guides/index.html#there">', []],
  ['<a href="/guides/#there">', []],
  ['<a class="x" href="#here">', []],
  ['<a href="https://example.com/nowhere#x">', []],
  ['<img src="/a.txt">', []],
  ['<a href="./">', []],
  ['<a href="./guides/index.html#gone">', ["./guides/index.html#gone"]],
  ['<a href="/guides">', ["/guides"]],
  ['<img alt="" src="/b.png">', ["/b.png"]],
  ['<a href="#gone">', ["#gone"]],
])("in %j, the dead links are %j", (html, dead) => {
  const folder = mkdtempSync(join(tmpdir(), "pollux-site-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "guides"));
  writeFileSync(join(folder, "index.html"), `<h1 id="here">Title</h1>${html}`);
  writeFileSync(join(folder, "guides/index.html"), '<h1 id="there">Title</h1>');
  expect(deadTargets("index.html", readBuiltPages(folder), files)).toEqual(dead);
});
