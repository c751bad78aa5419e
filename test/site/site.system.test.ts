import { execFile } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { entryPoints, manifestOf, ROOT } from "../../site/src/repository.ts";
import { versionsText } from "../../site/src/versions.ts";
import { type Chromium, openChromium, type Page } from "../runtimes/support/chromium.ts";
import { programFile } from "../support/programs.ts";
import { type BuiltPages, deadTargets, readBuiltPages } from "./support/page-links.ts";
import { type ServedSite, serveSite } from "./support/serve-site.ts";

const dist = join(ROOT, "site/dist");
const AXE = readFileSync(programFile("axe-core", "axe.min.js"), "utf8");
let pages: BuiltPages;
let files: ReadonlySet<string>;

// Installs VitePress and TypeDoc, reads all sources and renders a thousand pages.
beforeAll(async () => {
  const { SITE_BASE: _base, SITE_REPOSITORY: _repository, ...env } = process.env;
  await promisify(execFile)(process.execPath, [join(ROOT, "site/build.ts")], { cwd: ROOT, env, maxBuffer: 1 << 26 });
  pages = readBuiltPages(dist);
  files = new Set(readdirSync(dist, { recursive: true, encoding: "utf8" }).map((file) => file.replaceAll("\\", "/")));
}, 1_800_000);

describe("the built site", () => {
  test("every link leads to a page, a file and an anchor that exist", () => {
    expect(pages.size).toBeGreaterThan(900);
    // VitePress creates it for hosts; no page links to it.
    const dead = [...pages.keys()]
      .filter((path) => path !== "404.html")
      .flatMap((path) => deadTargets(path, pages, files).map((target) => `${path}: ${target}`));
    expect(dead).toEqual([]);
  });

  test("no page loads anything from another host", () => {
    const loaded = [...pages.values()]
      .flatMap((page) => page.loaded)
      .filter((target) => /^(?:https?:)?\/\//.test(target));
    expect(loaded).toEqual([]);
  });

  test("the reference has each entry point, and guides link to names in it", () => {
    for (const { name } of entryPoints())
      expect(files.has(`reference/${name.replace("@pollux/", "")}/index.html`), name).toBe(true);
    const links = pages.get("guides/errors-and-retries.html")?.targets ?? [];
    expect(links.some((link) => link.endsWith("reference/core/classes/ApiStatusError.html"))).toBe(true);
    const agent = readFileSync(join(dist, "reference/core/classes/Agent.html"), "utf8");
    expect(agent).toMatch(/<a [^>]*href="[^"]+ConfigurationError\.html"/);
  });

  test("no page of the reference is so long that nobody reads it", () => {
    const rows = [...pages.keys()]
      .filter((path) => /^reference\/.*(?:index|subjects\/[\w-]+)\.html$/.test(path))
      .map((path) => [path, readFileSync(join(dist, path), "utf8").split("<tr>").length - 1] as const);
    expect(rows.length).toBeGreaterThan(30);
    expect(rows.filter(([, count]) => count > 90)).toEqual([]);
  });

  test("it has the Markdown of its pages and the lists for language models", () => {
    for (const file of ["llms.txt", "llms-full.txt", "guides/options.md", "concepts.md"])
      expect(files.has(file)).toBe(true);
  });

  test("the index of the search is no larger than a picture", () => {
    const chunks = join(dist, "assets/chunks");
    const index = readdirSync(chunks).find((file) => file.startsWith("@localSearchIndex")) ?? "";
    expect(statSync(join(chunks, index)).size).toBeLessThan(2_400_000);
  });
});

describe("in a browser", () => {
  let site: ServedSite;
  let browser: Chromium;
  beforeAll(async () => void ([site, browser] = [await serveSite(dist), await openChromium()]));
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await site[Symbol.asyncDispose]();
  });

  describe.each([
    [1280, 900, ["light", "dark"]],
    [390, 844, ["dark", "light"]],
  ] as const)("%d pixels wide", (width, height, modes) => {
    test.each([
      ["the first page", "/"],
      ["a guide", "/guides/getting-started.html"],
      ["the index of guides", "/guides/"],
      ["the concepts", "/concepts.html"],
      ["a page of the reference", "/reference/core/classes/Agent.html"],
      ["the index of core's reference", "/reference/core/"],
      ["a subject of the reference", "/reference/core/subjects/sessions.html"],
      ["an example", "/examples/07-function-calling.html"],
      ["a wide table", "/comparison.html"],
    ])("%s can be read in light and dark, by everybody", async (_what, path) => {
      const { page, errors } = await openPage(browser);
      await page.setViewport({ width, height });
      for (const mode of modes) {
        await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: mode }]);
        // It starts in one and changes to the other.
        if (mode === modes[0]) await openAlive(page, site.url + path);
        await page.waitForFunction(`document.documentElement.classList.contains("dark") === ${mode === "dark"}`);
        expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
        expect(await page.evaluate("document.querySelectorAll('main').length")).toBe(1);
        expect(await violationsOf(page, mode === modes[0] ? undefined : ["color-contrast"]), mode).toEqual([]);
      }
      expect(errors).toEqual([]);
      await page.close();
    });

    test("the search finds a guide and a name, and asks no other host", async () => {
      const { page, errors } = await openPage(browser);
      await page.setViewport({ width, height });
      await openAlive(page, `${site.url}/`);
      for (const [words, found] of [
        ["approval", "/guides/approvals.html"],
        ["ScriptedModel", "/reference/core/testing/classes/ScriptedModel.html"],
      ] as const) {
        await page.locator("#local-search button, button.VPNavBarSearchButton").click();
        await page.locator("#localsearch-input").fill(words);
        await page.waitForFunction(`document.querySelector('.results a[href*="${found}"]') !== null`);
        await page.keyboard.press("Escape");
        await page.waitForFunction(`document.querySelector("#localsearch-input") === null`);
      }
      const asked = "performance.getEntriesByType('resource').map(({ name }) => name)";
      const elsewhere = ((await page.evaluate(asked)) as string[]).filter((name) => !name.startsWith(site.url));
      expect(elsewhere.filter((name) => !name.startsWith("data:"))).toEqual([]);
      expect(errors).toEqual([]);
      await page.close();
    });
  });

  test("the search answers with the best page first", async () => {
    const { page } = await openPage(browser);
    await page.setViewport({ width: 1280, height: 900 });
    await openAlive(page, `${site.url}/`);
    await page.locator("#local-search button, button.VPNavBarSearchButton").click();
    for (const [words, found] of [
      ["stream", "/guides/streaming-and-events.html"],
      // A guide to the AI SDK, React or the server, not a page about moving from another library.
      ["useChat", "/guides/(ai-sdk|react|web).html"],
      ["deploy", "/guides/deployment.html"],
      ["approval", "/guides/approvals.html"],
      ["ScriptedModel", "/reference/core/testing/classes/ScriptedModel.html"],
    ] as const) {
      await page.locator("#localsearch-input").fill(words);
      await page.waitForFunction(
        `/^${found.replaceAll("/", "\\/")}/.test(document.querySelector('.results a')?.getAttribute("href"))`,
      );
    }
    await page.close();
  });

  describe("with an older version", () => {
    let both: ServedSite;
    let folder: string;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "pollux-site-"));
      for (const entry of readdirSync(dist)) symlinkSync(join(dist, entry), join(folder, entry));
      rmSync(join(folder, "versions.json"));
      writeFileSync(join(folder, "versions.json"), versionsText("9.9.9", [{ name: "0.0", path: "v0.0/" }]));
      mkdirSync(join(folder, "v0.0"));
      for (const page of ["index.html", "concepts.html"]) writeFileSync(join(folder, "v0.0", page), `<h1>Old ${page}`);
      both = await serveSite(folder);
    });
    afterAll(async () => {
      await both[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    });

    test.each([
      [1280, "/concepts.html", "Old concepts.html"],
      [1280, "/guides/getting-started.html", "Old index.html"],
      [390, "/concepts.html", "Old concepts.html"],
    ])("%d pixels wide, %s leads to its page there, or to the first one", async (width, path, heading) => {
      const { page, errors } = await openPage(browser);
      await page.setViewport({ width, height: 900 });
      await openAlive(page, both.url + path);
      const isNarrow = width < 768;
      if (isNarrow) await page.locator("button.VPNavBarHamburger").click();
      const list = `${isNarrow ? ".VPNavScreen" : ".versions-bar"} select.versions`;
      await page.locator(list).wait();
      const shown = `[...document.querySelectorAll("${list} option")].map(({ text, selected }) => [text, selected])`;
      expect(await page.evaluate(shown)).toEqual([
        ["v9.9.9", true],
        ["v0.0", false],
      ]);
      expect(await violationsOf(page)).toEqual([]);
      await page.locator(list).fill("1");
      await page.waitForFunction(`document.querySelector("h1")?.innerText === "${heading}"`);
      expect(errors).toEqual([]);
      await page.close();
    });
  });

  test("the version is shown, there is no choice of one, and no file was missing", async () => {
    const { page } = await openPage(browser);
    await page.setViewport({ width: 1280, height: 900 });
    await page.goto(`${site.url}/`);
    expect(await page.evaluate("document.querySelector('.VPNav').textContent")).toContain(
      `v${manifestOf("core").version}`,
    );
    await page.waitForFunction(
      "performance.getEntriesByType('resource').some(({ name, responseEnd }) => name.endsWith('/versions.json') && responseEnd > 0)",
    );
    expect(await page.evaluate("document.querySelector('select.versions')")).toBe(null);
    await page.close();
    expect(site.missing).toEqual([]);
  });
});

async function openPage(browser: Chromium): Promise<{ readonly page: Page; readonly errors: readonly string[] }> {
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => void errors.push(String(error)));
  return { page, errors };
}

/** Opens a page and waits until it handles clicks, which it only does after Vue has hydrated its HTML. */
async function openAlive(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.waitForFunction(`document.querySelector("#app")?.__vue_app__ !== undefined`);
}

/** Serious problems that axe-core finds, as sentences. @param rules - Default: all; only contrast depends on colors. */
async function violationsOf(page: Page, rules?: readonly string[]): Promise<unknown> {
  if ((await page.evaluate("typeof axe")) === "undefined") await page.evaluate(AXE);
  // Elements that fade in have other colors at first.
  await page.waitForFunction("document.getAnimations().every(({ playState }) => playState !== 'running')");
  const options = JSON.stringify({ resultTypes: ["violations"], runOnly: rules });
  return await page.evaluate(
    `axe.run(document, ${options}).then(({ violations }) => violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => id + ": " + nodes.slice(0, 3).map(({ target, failureSummary }) => target + " " + failureSummary).join("; ")))`,
  );
}
