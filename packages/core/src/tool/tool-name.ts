import { ToolDefinitionError } from "../errors/tool-errors.ts";

/** The service's messages say 64; its newest types say 128. */
const MAX_LENGTH = 64;
const NAME = /^[A-Za-z_][A-Za-z0-9_.:-]*$/;
/** What every surface, gateway and older model takes. */
const PORTABLE = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;

/**
 * Checks the name of a function.
 *
 * @throws {ToolDefinitionError}
 * @see https://ai.google.dev/api/caching#FunctionDeclaration
 */
export function checkToolName(name: string): void {
  if (NAME.test(name) && name.length <= MAX_LENGTH) return;
  throw new ToolDefinitionError(
    `"${name.slice(0, 80)}" cannot be a tool's name: start with a letter or underscore, then letters, digits and _ . : -, at most ${MAX_LENGTH} characters`,
    name,
  );
}

/** Names as the service takes them, and the way back. */
export interface LegalNames {
  /** Name as given → name for the service. */
  readonly legalOf: ReadonlyMap<string, string>;
  /** Name for the service → name as given. */
  readonly originalOf: ReadonlyMap<string, string>;
}

/**
 * Names for tools that are only known at run time, such as an MCP server's. A name that every endpoint takes stays; any
 * other has its illegal characters replaced and gets a hash of the whole name at the end, so no two become one and
 * the same name always gives the same result.
 */
export function legalNames(names: Iterable<string>): LegalNames {
  const legalOf = new Map<string, string>();
  const originalOf = new Map<string, string>();
  const given = new Set(names);
  for (const name of given) if (PORTABLE.test(name)) pair(name, name);
  for (const name of given) {
    if (legalOf.has(name)) continue;
    for (let salt = 0; ; salt++) {
      const legal = `${sanitised(name)}_${hash(salt === 0 ? name : `${name}#${salt}`)}`;
      if (originalOf.has(legal)) continue;
      pair(name, legal);
      break;
    }
  }
  return { legalOf, originalOf };

  function pair(name: string, legal: string): void {
    legalOf.set(name, legal);
    originalOf.set(legal, name);
  }
}

function sanitised(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9_]+/g, "_").replace(/^_+|_+$/g, "");
  const started = /^[A-Za-z]/.test(plain) ? plain : `_${plain}`;
  return started.slice(0, 54);
}

/** FNV-1a, 32 bits, 8 hexadecimal digits. */
function hash(text: string): string {
  let state = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) state = Math.imul(state ^ byte, 0x01000193);
  return (state >>> 0).toString(16).padStart(8, "0");
}
