import { fileURLToPath } from "node:url";
import { build } from "vite";

const webChat = fileURLToPath(new URL("..", import.meta.url));

/**
 * Builds a page with Vite.
 *
 * @param outDir - Where to.
 * @param root - The folder with its `index.html`; default: the web chat's.
 */
export async function buildPage(outDir: string, root: string = webChat): Promise<void> {
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
