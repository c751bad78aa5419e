import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PACKAGES_WITH_GUIDES, packageDocs } from "../site/src/package-docs.ts";
import { ROOT } from "../site/src/repository.ts";

/** Writes the `docs` folders of the packages that are published with guides. */
export function writePackageDocs(): void {
  for (const name of PACKAGES_WITH_GUIDES) {
    const folder = join(ROOT, "packages", name, "docs");
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    for (const [file, text] of packageDocs(name)) writeFileSync(join(folder, file), text);
  }
}
