import { globSync, readFileSync } from "node:fs";

/** Code of tests that changes or measures the whole process. */
const OF_THE_PROCESS = new RegExp(
  [
    /setupServer|globalDispatcher|diagnostics_channel/, // its requests
    /\bvi\.mock\(/, // its modules
    /memoryUsage|cpuUsage|getActiveResourcesInfo|createHook/, // its memory, time, timers and resources
    /getTimerCount|\/local-round\.ts"/, // its timers, of which other files may have left some
    /\/count-processes\.ts"/, // its children, by a helper
  ]
    .map(({ source }) => source)
    .join("|"),
);

/** The first line of a test whose globals are those of a page. */
const IN_A_PAGE = /^\/\/ @vitest-environment happy-dom$/m;

/** The files among those of some patterns whose tests need a process of their own, relative to a folder. */
export function filesThatNeedAProcess(patterns: readonly string[], exclude: readonly string[], cwd: string): string[] {
  return filesWith(OF_THE_PROCESS, patterns, exclude, cwd);
}

/** The files among those of some patterns whose tests need the globals of a page, relative to a folder. */
export function filesThatNeedAPage(patterns: readonly string[], exclude: readonly string[], cwd: string): string[] {
  return filesWith(IN_A_PAGE, patterns, exclude, cwd);
}

function filesWith(text: RegExp, patterns: readonly string[], exclude: readonly string[], cwd: string): string[] {
  return globSync([...patterns], { cwd, exclude: [...exclude] })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => text.test(readFileSync(`${cwd}/${file}`, "utf8")))
    .toSorted();
}
