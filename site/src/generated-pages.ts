import { titleOf } from "./markdown.ts";
import type { GeneratedPage } from "./examples.ts";
import type { SitePage } from "./pages.ts";
import { readFile } from "./repository.ts";

/** The list of decisions. */
export function decisionsPage(pages: readonly SitePage[]): GeneratedPage {
  const decisions = pages.filter(({ route }) => route.startsWith("decisions/"));
  const rows = decisions.map(({ source, route }) => {
    const text = readFile(source);
    return `| [${titleOf(text).replaceAll("|", "\\|")}](./${route.slice("decisions/".length)}) |`;
  });
  const intro = "One page per decision that someone could undo by accident: what was chosen, why, and what it costs.";
  return {
    route: "decisions/index.md",
    text: `# Decisions\n\n${intro}\n\n| decision |\n| -------- |\n${rows.join("\n")}\n`,
  };
}
