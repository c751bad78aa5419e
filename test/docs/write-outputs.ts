// Writes the outputs of the docs' programs into the `text` blocks after them: pnpm docs:outputs [page ...]
import { userPages } from "./support/pages.ts";
import { startSnippetRunner } from "./support/snippet-runner.ts";
import { needsPrograms, snippets, writeOutputs } from "./support/snippets.ts";

const named = process.argv.slice(2);
const outputs = new Map<string, string>();
await using runner = await startSnippetRunner(".snippets-outputs");
for (const snippet of snippets()) {
  // Runs all of them, in the order of the test: the requests of one may be in the cache of the next.
  if (needsPrograms(snippet.code)) continue;
  const { problem, printed } = await runner.run(snippet);
  if (problem === "") outputs.set(snippet.name, printed);
  else console.error(`${snippet.name}: ${problem}`);
}
for (const page of userPages()) if (named.length === 0 || named.includes(page)) writeOutputs(page, outputs);
