import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import type { Driver } from "./drivers.ts";
import { ZOD } from "./measure-start.ts";
import { type Absence, figureOf, type Measured, type Row } from "./row.ts";

interface Size {
  readonly bytes: number;
  /** Bytes loaded at startup; the rest is loaded on demand. */
  readonly atOnce: number;
  readonly gzipped: number;
}

/** Drivers with nothing to bundle, or with the same bundle as another. */
const WITHOUT = /^(raw|pollux-fetch)/;

/** The size of each driver in one minified bundle with everything it imports, beyond zod alone. */
export async function measureBundle(drivers: readonly Driver[], progress: (text: string) => void): Promise<Measured> {
  const sizes = new Map<string, Size>();
  const absences: Absence[] = [];
  for (const { name, file, isPeer } of [ZOD, ...drivers.filter((driver) => !WITHOUT.test(driver.name))]) {
    progress(`bundle  ${name}`);
    try {
      sizes.set(name, await bundle(file));
    } catch (error) {
      const reason = reasonOf(error);
      absences.push({ rows: ["bundle"], driver: name, reason, isFailure: !isPeer });
    }
  }
  const rowOf = (id: string, label: string, of: keyof Size, atMost?: number): Row => ({
    id,
    label,
    unit: "KB",
    relation: "beyond",
    baseline: ZOD.name,
    targets: atMost === undefined ? [] : [{ driver: "pollux", atMost }],
    figures: [...sizes].map(([driver, size]) =>
      figureOf(driver, [size[of] / 1_000], "beyond", [(sizes.get(ZOD.name)?.[of] ?? 0) / 1_000]),
    ),
  });
  return {
    rows: [
      rowOf("bundle", "bundle beyond zod, minified", "atOnce", 305),
      rowOf("bundle-whole", "with what is loaded later", "bytes"),
      rowOf("bundle-gzip", "with what is loaded later, gzipped", "gzipped"),
    ],
    absences,
  };
}

/** The first line has the number of errors, the second the error itself. */
function reasonOf(error: unknown): string {
  const lines = (error instanceof Error ? error.message : String(error)).split("\n");
  return lines.slice(0, 2).join(" ").trim();
}

async function bundle(input: string): Promise<Size> {
  const build = await rolldown({ input, platform: "node", logLevel: "silent" });
  try {
    const { output } = await build.generate({ format: "esm", minify: true });
    const chunks = output.filter((file) => file.type === "chunk");
    const atOnce = new Set(chunks.filter(({ isEntry }) => isEntry).map(({ fileName }) => fileName));
    for (const name of atOnce) {
      for (const imported of chunks.find(({ fileName }) => fileName === name)?.imports ?? []) atOnce.add(imported);
    }
    const sum = (files: typeof chunks, of: (code: Buffer) => number): number =>
      files.reduce((total, { code }) => total + of(Buffer.from(code)), 0);
    return {
      bytes: sum(chunks, ({ length }) => length),
      atOnce: sum(
        chunks.filter(({ fileName }) => atOnce.has(fileName)),
        ({ length }) => length,
      ),
      gzipped: sum(chunks, (code) => gzipSync(code).length),
    };
  } finally {
    await build.close();
  }
}
