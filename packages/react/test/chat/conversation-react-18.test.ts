// @vitest-environment happy-dom
import { mkdtemp, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import * as vitest from "vitest";

const folderOf = (manifest: string): string => dirname(fileURLToPath(manifest));

/** The checks, their page and all that it is made of in one file, in which only React is another. */
const folder = await mkdtemp(join(import.meta.dirname, "../../node_modules/.react-18-"));
const file = join(folder, "checks.mjs");
const bundle = await rolldown({
  input: join(import.meta.dirname, "conversation-checks.ts"),
  logLevel: "silent",
  resolve: {
    conditionNames: ["pollux-source", "browser", "import", "module"],
    alias: {
      react: folderOf(import.meta.resolve("react-18/package.json")),
      "react-dom": folderOf(import.meta.resolve("react-dom-18/package.json")),
    },
  },
  plugins: [
    {
      name: "the vitest of this file",
      resolveId: (name) => (name === "vitest" ? name : undefined),
      load: (name) =>
        name === "vitest"
          ? "export const { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } = globalThis.vitest;"
          : undefined,
    },
  ],
});
await bundle.write({ file, format: "esm", codeSplitting: false });
await bundle.close();
vitest.vi.stubGlobal("vitest", vitest);
const { checkConversation } = await import(/* @vite-ignore */ file);
await rm(folder, { recursive: true, force: true });

checkConversation("18");
