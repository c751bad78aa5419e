import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { bundleFor } from "./support/bundle-for.ts";
import { importsOf } from "./support/imports-of.ts";

test.each(["use-core", "use-web-tools"])(
  "%s fits into a web page, of the sources, without a word of the bundler",
  async (name) => {
    const program = fileURLToPath(new URL(`programs/${name}.ts`, import.meta.url));
    const { files, warnings, external } = await bundleFor("page", program, ["pollux-source"]);
    expect({ warnings, external }).toEqual({ warnings: [], external: [] });
    for (const code of files.values()) expect(importsOf(code).isVariable).toBe(false);
  },
);
