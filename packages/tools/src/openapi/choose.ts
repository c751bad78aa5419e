import { ConfigurationError } from "@pollux/core";
import { compileWildcards } from "../files/wildcards.ts";
import { type FoundOperation, shown } from "./operations.ts";
import type { OpenApiOptions } from "./options.ts";

/** Given more functions than this, a model can't choose well. */
const MOST_UNCHOSEN = 128;

/**
 * The selected operations.
 *
 * @throws {ConfigurationError} If there are none, a name matches none, or the document has too many to offer them all.
 */
export function chooseOperations(
  all: readonly FoundOperation[],
  operations: OpenApiOptions["operations"],
): readonly FoundOperation[] {
  if (all.length === 0) throw new ConfigurationError("This OpenAPI document has no operations.");
  if (operations === undefined) {
    if (all.length <= MOST_UNCHOSEN) return all;
    throw new ConfigurationError(
      `This OpenAPI document has ${all.length} operations, too many to offer at once. Select some with \`operations\`, ` +
        `such as ${examples(all)}, or let the model look them up with openApiSearch().`,
    );
  }
  const chosen =
    typeof operations === "function" ? all.filter((one) => operations(shown(one))) : byPattern(all, operations);
  if (chosen.length > 0) return chosen;
  throw new ConfigurationError(
    `\`operations\` selects none of the ${all.length} operations of this OpenAPI document, such as ${examples(all)}.`,
  );
}

function byPattern(all: readonly FoundOperation[], patterns: readonly string[]): readonly FoundOperation[] {
  const wanted = patterns.filter((pattern) => !pattern.startsWith("!"));
  const unwanted = patterns.filter((pattern) => pattern.startsWith("!")).map((pattern) => matcher(pattern.slice(1)));
  const kept = new Set<FoundOperation>();
  for (const pattern of wanted) {
    const found = all.filter(matcher(pattern));
    if (found.length === 0) throw new ConfigurationError(unknownText(all, pattern));
    for (const one of found) kept.add(one);
  }
  // In the document's order, so that the list of tools doesn't depend on the order of `operations`.
  return all.filter((one) => (wanted.length === 0 || kept.has(one)) && !unwanted.some((fits) => fits(one)));
}

function matcher(pattern: string): (operation: FoundOperation) => boolean {
  // `{owner}` is a path parameter; `{a,b}` is a choice.
  const escaped = pattern.replaceAll(/\{([^{},]*)\}/g, String.raw`\{$1\}`);
  const { matches: fits } = compileWildcards(escaped, { braces: true });
  return ({ id, method, path }) =>
    id === pattern || `${method} ${path}` === pattern || fits(id) || fits(`${method} ${path}`);
}

function unknownText(all: readonly FoundOperation[], pattern: string): string {
  const words = pattern.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  const near = all
    .map(({ id }) => ({ id, hits: words.filter((word) => id.toLowerCase().includes(word)).length }))
    .filter(({ hits }) => hits > 0)
    .toSorted((a, b) => b.hits - a.hits)
    .slice(0, 5)
    .map(({ id }) => JSON.stringify(id));
  const hint = near.length > 0 ? `similar ones are ${near.join(", ")}` : `it has ${examples(all)} and others`;
  return `No operation of this OpenAPI document matches ${JSON.stringify(pattern.slice(0, 100))} of \`operations\`; ${hint}.`;
}

function examples(all: readonly FoundOperation[]): string {
  const names = all.slice(0, 3).map(({ id }) => JSON.stringify(id));
  const group = all.map(({ id }) => /^[\w.-]+(?=\/)/.exec(id)?.[0]).find((name) => name !== undefined);
  return [...names, ...(group === undefined ? [] : [JSON.stringify(`${group}/*`)])].join(", ");
}
