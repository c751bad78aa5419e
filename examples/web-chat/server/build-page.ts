import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Builds the page with Vite. @param outDir - Where to. */
export async function buildPage(outDir: string): Promise<void> {
  await build({
    root,
    configFile: false,
    logLevel: "warn",
    // The packages' sources, as everywhere in this repository.
    resolve: { conditions: ["pollux-source", "module", "browser", "production"] },
    build: {
      outDir,
      emptyOutDir: true,
      chunkSizeWarningLimit: 1000,
      // "use client" says nothing to a page that is all client.
      rolldownOptions: { onwarn: (warning, warn) => warning.code !== "MODULE_LEVEL_DIRECTIVE" && warn(warning) },
    },
  });
}
