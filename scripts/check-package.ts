/**
 * `pnpm check:package`: packs each package and runs publint and "are the types wrong" on the tarball, as an installer would see
 * it. Exits with 1 if either reports a problem, or if a package exceeds its size budget.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { packPackages } from "./pack-packages.ts";
import { sizeOfPackage, sizeProblems } from "./package-size.ts";

const folder = mkdtempSync(join(tmpdir(), "pollux-check-package-"));
let problems = 0;
try {
  for (const { name, tarball, files } of await packPackages(folder)) {
    const size = sizeOfPackage(tarball);
    console.log(`${name}: ${files.length} files, ${size.packed} bytes packed, ${size.unpacked} unpacked`);
    for (const message of sizeProblems(name, size)) {
      problems++;
      console.log(`  size: ${message}`);
    }

    const bytes = new Uint8Array(readFileSync(tarball));
    const { messages, pkg } = await publint({ pack: { tarball: bytes.buffer }, strict: true });
    for (const message of messages) {
      // A template is the manifest of a project to come; nothing imports it where it is.
      if (message.code === "NESTED_PACKAGE_JSON_FIELD_IGNORED" && message.args.filePath.startsWith("./templates/"))
        continue;
      console.log(`  publint ${message.type}: ${formatMessage(message, pkg, { color: false })}`);
      if (message.type !== "suggestion") problems++;
    }

    const args = [tarball, "--profile", "esm-only", "--no-color", "--no-emoji"];
    // It looks for the types of every entry point, and styles have none.
    if (files.some((file) => file === "styles.css")) args.push("--exclude-entrypoints", "styles.css");
    const attw = spawnSync("attw", args, { encoding: "utf8" });
    if (attw.status !== 0) {
      problems++;
      console.log(attw.error?.message ?? attw.stdout + attw.stderr);
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}
console.log(problems === 0 ? "no problems in the packages" : `${problems} problems`);
process.exitCode = problems === 0 ? 0 : 1;
