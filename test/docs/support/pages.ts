import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Path of the repository. */
export const ROOT: string = fileURLToPath(new URL("../../../", import.meta.url));

/** The pages a user reads, as paths from the root. */
export function userPages(): readonly string[] {
  const docs = readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => `docs/${file.replaceAll("\\", "/")}`);
  const packages = ["core", "tools", "emulator", "cli", "web", "evals"].map((name) => `packages/${name}/README.md`);
  return ["README.md", ...packages, ...docs.toSorted()];
}

/** Text of a page. @param page - From the root, such as `docs/README.md`. */
export function readPage(page: string): string {
  return readFileSync(join(ROOT, page), "utf8");
}

/** The anchors of a page's headings. */
export function anchorsOf(text: string): readonly string[] {
  return [...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{Letter}\p{Number}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** A page without its programs and their outputs. */
export function withoutCode(text: string): string {
  return text.replaceAll(/^ *```[^]*?^ *```$/gm, "");
}
