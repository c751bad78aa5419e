/** Builds the inspector's page: `node packages/inspector/page/build.ts`. */
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = fileURLToPath(new URL(".", import.meta.url));

/** @param outDir - A folder other than the one that the package ships. */
export async function buildPage(
  outDir: string = fileURLToPath(new URL("../dist/page", import.meta.url)),
): Promise<void> {
  await build({
    root,
    // Works below any path.
    base: "./",
    configFile: false,
    logLevel: "warn",
    resolve: { conditions: ["pollux-source", "module", "browser", "production"] },
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    build: { outDir, emptyOutDir: true, chunkSizeWarningLimit: 1000, assetsInlineLimit: 0, modulePreload: false },
  });
}

if (import.meta.main) await buildPage(process.argv[2]);
