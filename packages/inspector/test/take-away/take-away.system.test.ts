import { readExchanges } from "@pollux/core/exchanges";
import { type Brain, call as calling, createEmulator, say as saying, script } from "@pollux/emulator";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import type { TakenFiles } from "../../src/inspection/results.ts";
import { curlOf } from "../../src/take-away/curl.ts";
import { detailsOf } from "../support/exchange-details.ts";
import { inspect, keptSession } from "../support/inspected.ts";

const sum = () => script([calling("add", { a: 1, b: 2 }), saying("It is 3, isn't it?")]);

const run = promisify(execFile);

async function runScript(text: string, env: { readonly [name: string]: string }): Promise<{ readonly stdout: string }> {
  return await inTemp(async (folder) => {
    await writeFile(join(folder, "request.sh"), text);
    return await run("sh", ["request.sh"], { cwd: folder, env: { PATH: process.env["PATH"], ...env } });
  });
}

async function inTemp<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "pollux-take-away-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe("curl", () => {
  test("sends the same request again, with the key from the environment", async () => {
    const { store, exchanges } = await keptSession(sum(), "What's 1 + 2? `$HOME` 'x'");
    const taken = await inspect({ store, exchanges }).view<TakenFiles>("take-curl", { n: "1" });
    const [file] = taken.files;
    expect(file?.name).toBe("request-1.sh");
    expect(file?.text).toContain(
      "https://generativelanguage.googleapis.com/v1beta/models/gemini-3.5-flash:streamGenerateContent?alt=sse",
    );
    expect(file?.text).toContain('--header "x-goog-api-key: $GEMINI_API_KEY"');
    expect(file?.text).not.toContain("emulator-key");
    const again = createEmulator({ brain: { anySignature: true, answer: () => saying("again") } });
    await using server = await again.listen();
    const sent = file?.text.replace("https://generativelanguage.googleapis.com", server.url) ?? "";
    const { stdout } = await runScript(sent, { GEMINI_API_KEY: "given" });
    expect(stdout).toContain("again");
    const [received] = again.requests;
    const kept = await readExchanges(exchanges, "chat-1");
    expect(received?.body).toEqual(JSON.parse(new TextDecoder().decode(kept.body(1))));
    expect(received?.headers).toMatchObject({ "content-type": "application/json" });
  });

  test("without the key, it says which one", async () => {
    const { store, exchanges } = await keptSession(sum(), "What is 1 + 2?");
    const { files } = await inspect({ store, exchanges }).view<TakenFiles>("take-curl", { n: "0" });
    await expect(runScript(files[0]?.text ?? "", {})).rejects.toThrow("GEMINI_API_KEY: a key of the Gemini API");
  });

  test("a hostile log can't make a shell do anything", async () => {
    const headers = [
      ["x-goog-evil", "a'; touch pwned; '\nEOF"],
      ["@/etc/passwd", "1"],
      ["content-type", "text/plain"],
    ] as const;
    const url = "http://127.0.0.1:1/$(touch%20pwned)'`touch pwned`?alt=sse";
    const details = detailsOf(url, headers, "BODY\n'; touch pwned\nBODY\n$(touch pwned)", "model:1\ntouch pwned");
    const { text } = curlOf(details);
    await inTemp(async (folder) => {
      await writeFile(join(folder, "request.sh"), text);
      await run("sh", ["request.sh"], { cwd: folder, env: { PATH: process.env["PATH"], GEMINI_API_KEY: "k" } }).catch(
        () => {},
      );
      expect(await readdir(folder)).toEqual(["request.sh"]);
    });
    expect(text).not.toContain("/etc/passwd");
  });
});

describe("the test of a run", () => {
  /** Vitest's report about a file. */
  interface Report {
    readonly status: string;
    readonly assertionResults: readonly { readonly failureMessages: readonly string[] }[];
  }

  /** Runs tests like a person, each in its own folder, but with the sources of the packages. @returns The result of each. */
  async function runVitest(tests: Readonly<Record<string, TakenFiles>>): Promise<Readonly<Record<string, string>>> {
    const cache = fileURLToPath(new URL("../../node_modules/.cache", import.meta.url));
    await mkdir(cache, { recursive: true });
    const folder = await mkdtemp(join(cache, "taken-"));
    try {
      for (const [name, { files }] of Object.entries(tests)) {
        await mkdir(join(folder, name));
        for (const file of files) await writeFile(join(folder, name, file.name), file.text);
      }
      const conditions = `{ conditions: ["pollux-source", "module", "node"] }`;
      const config = `export default { resolve: ${conditions}, ssr: { resolve: ${conditions} } };\n`;
      await writeFile(join(folder, "vitest.config.mjs"), config);
      const vitest = fileURLToPath(new URL("../../../../node_modules/vitest/vitest.mjs", import.meta.url));
      const report = join(folder, "report.json");
      const args = [vitest, "run", "--root", folder, "--no-color", "--reporter=json", `--outputFile=${report}`];
      // It fails, as some of the tests do.
      await run(process.execPath, ["--conditions=pollux-source", ...args], { cwd: folder }).catch(() => {});
      const { testResults } = JSON.parse(await readFile(report, "utf8")) as {
        readonly testResults: readonly (Report & { readonly name: string })[];
      };
      return Object.fromEntries(
        testResults.map(({ name, status, assertionResults }) => [
          basename(dirname(name)),
          [status, ...assertionResults.flatMap(({ failureMessages }) => failureMessages)].join("\n"),
        ]),
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  test("fails with the run's answer, and passes with the right expectation; reproduces a run that ended wrong", async () => {
    const taken = async (brain: Brain, text: string, isLogOnly = false): Promise<TakenFiles> => {
      const { store, exchanges } = await keptSession(brain, text);
      return await inspect({ store, ...(!isLogOnly && { exchanges }) }).view<TakenFiles>("take-test");
    };
    const fresh = await taken(sum(), "What is 1 + 2?");
    const right = (text: string): string => text.replace("Write the expected answer here.", "It is 3, isn't it?");
    const again = () => calling("fail", {});
    const failing = () => script([again(), again(), again(), again(), again()]);
    const results = await runVitest({
      fresh,
      right: { ...fresh, files: fresh.files.map((file) => ({ ...file, text: right(file.text) })) },
      wrong: await taken(failing(), "Try it."),
      // With failures of tools, without requests.
      "wrong-in-log": await taken(failing(), "Try it.", true),
    });
    expect(results).toEqual({
      fresh: expect.stringMatching(/^failed\n[^]*It is 3, isn/),
      right: "passed",
      wrong: expect.stringMatching(/^failed\n[^]*repeated-calls/),
      "wrong-in-log": expect.stringMatching(/^failed\n[^]*repeated-calls/),
    });
    expect(results["fresh"]).toContain("Write the expected answer here.");
  });
});
