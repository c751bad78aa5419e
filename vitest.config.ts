import { defineConfig } from "vitest/config";

// Tests and examples run on the sources: `pollux-source` is the first condition in each package's `exports`.
const conditions = ["pollux-source", "node", "import", "module", "default"];

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
    env: { NO_COLOR: "1" },
  },
});
