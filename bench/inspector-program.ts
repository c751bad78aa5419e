import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { openChromium, type Page } from "../test/runtimes/support/chromium.ts";
import { memoryOf } from "./memory-of.ts";

const PROGRAM = fileURLToPath(new URL("../packages/cli/dist/main.js", import.meta.url));
const TITLE = `document.querySelector(".turn-head h2")?.textContent`;

/** What `pollux inspect` and its page take, in milliseconds and megabytes. */
export interface ProgramFigures {
  /** From the start of the process to its first answer, the list of sessions; one figure for each start. */
  readonly starts: readonly number[];
  /** From navigation to the last turn on the screen: of the first page, then of reloads. */
  readonly views: readonly number[];
  /** From a key to the next turn on the screen. */
  readonly steps: readonly number[];
  /** From an address to a turn that was never loaded. */
  readonly jumps: readonly number[];
  /** Of the process with the session open. */
  readonly memory: number;
  /** Of the page's JavaScript. */
  readonly pageMemory: number;
}

/** Starts the program a few times on a folder of sessions, and looks at one of them in Chromium. */
export async function measureInspector(
  folder: string,
  id: string,
  runs: readonly string[],
  rounds: number,
): Promise<ProgramFigures> {
  const starts: number[] = [];
  for (let n = 1; n < rounds; n++) {
    await using program = await start(folder);
    starts.push(program.ms);
  }
  await using program = await start(folder);
  starts.push(program.ms);
  await using browser = await openChromium();
  const page = await browser.newPage();
  await page.setViewport({ width: 1440, height: 860 });
  const views: number[] = [];
  for (let n = 0; n < rounds; n++) {
    await page.goto("about:blank");
    await page.goto(`${program.url}#/s/${id}`);
    views.push(await timeOf(page, "", `${TITLE} && document.querySelector(".contents")`));
  }
  const steps: number[] = [];
  for (let n = 0; n < 50; n++) {
    const key = `const before = ${TITLE}; document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "k", bubbles: true }))`;
    steps.push(await timeOf(page, key, `${TITLE} !== before && document.querySelector(".contents, .facts-list")`));
  }
  const jumps: number[] = [];
  for (let n = 0; n < 50; n++) {
    const run = runs[Math.floor((n * runs.length) / 100)] ?? "";
    const turn = 2 + (n % 6);
    const isShown = `document.querySelector(".contents")?.textContent.includes('"a":${turn},')`;
    jumps.push(await timeOf(page, `location.hash = "#/s/${id}/r/${run}/t/${turn}"`, isShown));
  }
  const pageMemory = Number(await page.evaluate("performance.memory.usedJSHeapSize")) / 1_000_000;
  const [memory = 0] = await memoryOf(folder);
  return { starts, views, steps, jumps, memory, pageMemory };
}

/** Milliseconds from some code, or from the navigation if there is none, until a frame with what it leads to was drawn. */
async function timeOf(page: Page, code: string, isShown: string): Promise<number> {
  const from = code === "" ? "0" : "performance.now()";
  const look = `const look = () => {
    if (${isShown}) requestAnimationFrame(() => done(performance.now() - from));
    else if (performance.now() - from > 30_000) fail(new Error("the page never shows it"));
    else requestAnimationFrame(look);
  }`;
  return Number(
    await page.evaluate(`new Promise((done, fail) => { const from = ${from}; ${code}; ${look}; look(); })`),
  );
}

async function start(folder: string): Promise<AsyncDisposable & { readonly url: string; readonly ms: number }> {
  const from = performance.now();
  const child = spawn(process.execPath, [PROGRAM, "inspect", folder], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  for await (const line of createInterface(child.stdout)) {
    const url = /http:\S+/.exec(line)?.[0];
    if (url === undefined) continue;
    const response = await fetch(new URL("api/sessions", url));
    await response.text();
    if (!response.ok) throw new Error(`pollux inspect answered ${response.status}`);
    const ms = performance.now() - from;
    return {
      url,
      ms,
      [Symbol.asyncDispose]: async () => {
        child.kill();
        await exited;
      },
    };
  }
  throw new Error("pollux inspect printed no address");
}
