import { listen } from "@pollux/core/serving-node";
import { oncePerRun } from "../../../../../test/support/once-per-run.ts";
import { buildPage } from "../../../page/build.ts";
import { Assets } from "../../../src/server/assets.ts";
import type { InspectorOptions } from "../../../src/server/inspector-handler.ts";
import { localInspector } from "../../../src/server/local-inspector.ts";

/** A server of the inspector. Close it with `await using`. */
export interface ServedInspector extends AsyncDisposable {
  /** Address of the page, with its token. */
  readonly url: string;
}

/** The built page. */
export interface BuiltPage {
  /** Serves it on a free port of this machine. */
  serve(options: Omit<InspectorOptions, "authorize" | "path" | "allowedHosts">): Promise<ServedInspector>;
}

/** The page, built once for all tests of a run. */
export async function builtPage(): Promise<BuiltPage> {
  return pageIn(await oncePerRun("inspector", buildPage));
}

/** The page built in a folder. */
export function pageIn(folder: string): BuiltPage {
  const assets = new Assets(folder);
  return {
    serve: async (options) => {
      const { handler, path } = localInspector(options, {
        assets,
        pace: { pollMs: 50, quietMs: 10, keepAliveMs: 15_000 },
      });
      const server = await listen(handler);
      return { url: server.url + path, [Symbol.asyncDispose]: () => server.close() };
    },
  };
}
