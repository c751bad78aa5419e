import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { filesThatNeedAPage, filesThatNeedAProcess } from "./test/support/own-process.ts";

// Tests and examples run on the sources: `pollux-source` is the first condition in each package's `exports`.
// `import`, `require` and `default` are added for each import as it is made; said here, they would hold for `require` as well.
const conditions = ["pollux-source", "node", "module"];

const FAST_TESTS = [
  "packages/*/test/**/*.test.ts",
  "packages/create-pollux/templates/**/*.test.ts",
  "test/**/*.test.ts",
];
const SYSTEM_TESTS = ["packages/*/test/**/*.system.test.ts", "test/**/*.system.test.ts"];

const NO_FAST_TESTS = ["**/node_modules/**", ...SYSTEM_TESTS];
const OWN_PROCESS = filesThatNeedAProcess(FAST_TESTS, NO_FAST_TESTS, import.meta.dirname);
const IN_A_PAGE = filesThatNeedAPage(FAST_TESTS, [...NO_FAST_TESTS, ...OWN_PROCESS], import.meta.dirname);

/** A file of OpenTelemetry's SDK 2.x, or of the API version that it works with. */
function sdk2(file: string): string {
  return fileURLToPath(new URL(`packages/otel/test/sdk-2/node_modules/@opentelemetry/${file}`, import.meta.url));
}

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    // These limits only end a hang. No test may depend on how fast the machine is, so they are far above what any test takes.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000, interval: 10 } },
    setupFiles: ["test/support/fixed-seed.ts", "test/support/tidy-process.ts"],
    // More than there are processors: while one waits for a program, a disk or a timer, another works.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
    env: {
      NO_COLOR: "1",
      // Many tests let a tool throw.
      POLLUX_LOG: "silent",
      // Programs that tests start load their sources in a third of the time.
      NODE_COMPILE_CACHE: fileURLToPath(new URL("node_modules/.cache/compiled", import.meta.url)),
    },
    projects: [
      {
        // What `npm test` runs: everything that needs neither another program nor minutes, and a smoke test of what does.
        extends: true,
        test: {
          name: "fast",
          include: FAST_TESTS,
          exclude: [...NO_FAST_TESTS, ...OWN_PROCESS, ...IN_A_PAGE],
          // The files share a process per worker, which `tidy-process.ts` puts in order after each: loading the sources anew for each
          // would take a third of the time.
          isolate: false,
        },
      },
      {
        // The part of it that needs a browser's globals. Among the files of `fast`, each would end a worker that is warm.
        extends: true,
        test: {
          name: "fast-dom",
          include: IN_A_PAGE,
          exclude: NO_FAST_TESTS,
          environment: "happy-dom",
          isolate: false,
        },
      },
      {
        // The part of it that a process of its own is for: what takes over requests or modules of a process, or measures it.
        extends: true,
        test: { name: "fast-isolated", include: OWN_PROCESS, exclude: NO_FAST_TESTS },
      },
      {
        // What CI runs as well: engines, packaging, runtimes, other people's clients and servers, whole fault tables.
        extends: true,
        test: {
          name: "system",
          include: SYSTEM_TESTS,
          globalSetup: [
            "test/support/install-programs.ts",
            "test/support/pack-once.ts",
            "test/support/bundle-programs.ts",
            "test/support/run-folder.ts",
          ],
          // Each keeps a processor busy with programs of its own.
          maxWorkers: "100%",
          sequence: { groupOrder: 1 },
          testTimeout: 900_000,
          hookTimeout: 900_000,
        },
      },
      {
        extends: false,
        // The tests of packages/otel once more, on the line of OpenTelemetry's SDK that runs on Node 20. Runs with the system tests.
        // Without the condition `module`, for which the API before 1.10 has files that Node can't load.
        ssr: { resolve: { conditions: ["pollux-source", "node"] } },
        resolve: {
          conditions: ["pollux-source", "node"],
          alias: {
            "@opentelemetry/api": sdk2("api/build/src/index.js"),
            "@opentelemetry/context-async-hooks": sdk2("context-async-hooks/build/src/index.js"),
            "@opentelemetry/sdk-logs": sdk2("sdk-logs/build/src/index.js"),
            "@opentelemetry/sdk-metrics": sdk2("sdk-metrics/build/src/index.js"),
            "@opentelemetry/sdk-trace": sdk2("sdk-trace-base/build/src/index-shim.js"),
          },
        },
        test: {
          name: "opentelemetry-2",
          // Projects with another number of workers need a place of their own.
          sequence: { groupOrder: 2 },
          testTimeout: 60_000,
          setupFiles: ["test/support/fixed-seed.ts"],
          env: { POLLUX_LOG: "silent" },
          include: ["packages/otel/test/**/*.test.ts"],
          exclude: ["**/node_modules/**", ...SYSTEM_TESTS],
        },
      },
    ],
  },
});
