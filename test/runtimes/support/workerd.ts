import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { programFile } from "../../support/programs.ts";
import type { Bundle } from "./bundle-for.ts";

/** The used parts of miniflare. */
interface MiniflareModule {
  readonly Miniflare: new (options: object) => {
    dispatchFetch(url: string): Promise<{ readonly status: number; text(): Promise<string> }>;
    dispose(): Promise<void>;
  };
}

/**
 * Runs a worker in workerd, through miniflare, which checks the imports of its modules.
 *
 * @param bundle - A worker that answers with a report.
 * @param query - Of the request to it.
 * @throws Miniflare's error about the modules, or the worker's own.
 */
export async function runInWorkerd(bundle: Bundle, query: string, flags: readonly string[] = []): Promise<unknown> {
  const file = pathToFileURL(programFile("miniflare", "dist/src/index.js")).href;
  const { Miniflare } = (await import(file)) as MiniflareModule;
  const folder = mkdtempSync(join(tmpdir(), "pollux-workerd-"));
  try {
    for (const [name, code] of bundle.files) writeFileSync(join(folder, name), code);
    const miniflare = new Miniflare({
      modules: true,
      scriptPath: join(folder, bundle.entry),
      modulesRoot: folder,
      modulesRules: [{ type: "ESModule", include: ["**/*.js"] }],
      compatibilityDate: "2026-07-01",
      compatibilityFlags: [...flags],
      // Otherwise, it would load metadata of requests from Cloudflare.
      cf: false,
    });
    try {
      const response = await miniflare.dispatchFetch(`http://localhost/?${query}`);
      const said = await response.text();
      if (response.status !== 200) throw new Error(said);
      return JSON.parse(said) as unknown;
    } finally {
      await miniflare.dispose();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
