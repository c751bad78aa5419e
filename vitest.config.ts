import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// Tests and examples run on the sources: `pollux-source` is the first condition in each package's `exports`.
// `import`, `require` and `default` are added for each import as it is made; said here, they would hold for `require` as well.
const conditions = ["pollux-source", "node", "module"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "test/**/*.test.ts"],
    typecheck: {
      enabled: true,
      include: ["packages/*/test/**/*.test-d.ts"],
      tsconfig: "tsconfig.typecheck.json",
      // Only the type tests themselves: `tsc -b` has already reported errors anywhere else.
      ignoreSourceErrors: true,
    },
    testTimeout: 20_000,
    // Also on a machine with two processors.
    maxWorkers: "100%",
    env: {
      NO_COLOR: "1",
      // Programs that tests start load their sources in a third of the time.
      NODE_COMPILE_CACHE: fileURLToPath(new URL("node_modules/.cache/compiled", import.meta.url)),
    },
  },
});
