/**
 * Bundles core's sources into a few files per entry point, after `tsc -b` has written the types.
 *
 * Node needs about a third of a millisecond for each file that it loads, and core has well over a hundred sources.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const folder = fileURLToPath(new URL("../packages/core", import.meta.url));

/** The chunk with the validator of JSON Schemas. */
const VALIDATOR = "json-schema";

/** Files by condition; for the sources, one more map of the same kind. */
type Conditions = { readonly [condition: string]: string | Conditions };

interface Manifest {
  readonly imports: Readonly<Record<string, Conditions>>;
  readonly exports: Readonly<Record<string, string | { readonly "pollux-source": string; readonly default: string }>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

/**
 * Writes `packages/core/dist/*.js` and removes the output of earlier builds.
 *
 * @param destination - A folder other than `dist`.
 */
export async function bundleCore(destination: string = join(folder, "dist")): Promise<void> {
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  const outputs = [
    ...Object.values(manifest.exports).flatMap((one) => (typeof one === "string" ? [] : [one.default])),
    ...new Set(
      Object.values(manifest.imports).flatMap((one) =>
        Object.values(one).filter((target) => typeof target === "string"),
      ),
    ),
  ];
  const build = await rolldown({
    cwd: folder,
    input: Object.fromEntries(outputs.map((output) => [nameOf(output), sourceOf(output)])),
    external: [
      /^node:/,
      /^#/,
      ...Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }).map(startingWith),
    ],
    platform: "neutral",
    tsconfig: false,
    transform: { target: "es2023" },
  });
  rmSync(join(destination, "chunks"), { recursive: true, force: true });
  await build.write({
    dir: destination,
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "chunks/[name].js",
    banner: ({ name }) => (name === VALIDATOR ? licenseOf("typebox") : ""),
    codeSplitting: {
      groups: [
        {
          name: "wire",
          // With what the chunk of heals needs: rolldown keeps a chunk that imports the one it is loaded by, used or not.
          test: /core[\\/]src[\\/]((errors|internal|logging|wire)[\\/](?!no-pino-writer)|model[\\/]history[\\/]change-calls)/,
          priority: 2,
        },
        // What loads parts when they are needed: those import `core`, and rolldown keeps a chunk that imports the one it is loaded by.
        {
          name: "agent",
          test: /core[\\/]src[\\/](agent[\\/]|session[\\/]store-operations|model[\\/]gemini-model)/,
          priority: 0,
        },
        {
          name: "core",
          test: /core[\\/]src[\\/](?!session[\\/](session-runtime|lease|log|store[\\/](?!memory-store|store)|runs[\\/](?!read-run|session-host)))(durable|grounding|loop|model|session|tool)[\\/](?!index|store-operations|gemini-model|schema[\\/](zod3|validator|free-text)\.ts|heal[\\/](?!heal-memory)|calls[\\/]find-reason|response[\\/]continuation|resources[\\/](index|wait-for-file|caches)|recall-run)/,
          priority: 1,
        },
        // Loaded with the first use of a session.
        { name: "session", test: /core[\\/]src[\\/](session[\\/]|loop[\\/]recall-run)/, priority: 0 },
        // Loaded with the first request that is refused.
        { name: "heal", test: /model[\\/]heal[\\/](?!heal-memory)/, priority: 1 },
        // Loaded with the first call that may be held back after untrusted content. Both import nothing of the other chunks but `wire`.
        { name: "untrusted", test: /calls[\\/]find-reason|schema[\\/]free-text/, priority: 1 },
        // Loaded with the first value to check. After the others: a group takes along what its modules import.
        { name: VALIDATOR, test: /node_modules[\\/]typebox|schema[\\/]validator\.ts/, priority: 0 },
      ],
    },
    // Names and comments are kept: people read stack traces, and application bundlers minify anyway.
    minify: false,
  });
  await build.close();
  // For older compilers, by a condition of `exports`: the name of a file that cannot be parsed is the first thing they report.
  writeFileSync(
    join(destination, "needs-typescript-5.0-or-later.d.ts"),
    "// Update TypeScript: npm install --save-dev typescript@latest\n}\n",
  );
}

/** A development dependency of which core is published with a part: its license, as a comment. */
function licenseOf(name: string): string {
  return `/*\n${name}:\n\n${readFileSync(join(folder, "node_modules", name, "license"), "utf8")}*/`;
}

/** The package itself and its subpaths. */
function startingWith(name: string): RegExp {
  return new RegExp(`^${name}(/|$)`);
}

/** `./dist/node/index.js` is `node/index`. */
function nameOf(output: string): string {
  return relative("dist", output).replaceAll("\\", "/").replace(/\.js$/, "");
}

function sourceOf(output: string): string {
  return join(folder, "src", `${nameOf(output)}.ts`);
}
