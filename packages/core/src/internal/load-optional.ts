import { ConfigurationError } from "../errors/agent-error.ts";

/** A feature that needs packages which are not installed with it. */
export interface OptionalUse {
  /** The feature, as the message begins with it, such as `web_fetch`. */
  readonly user: string;
  /** All packages that the feature needs, as npm installs them. */
  readonly packages: readonly string[];
  /** Advice for the packages' names, joined by spaces. @defaultValue an npm command */
  readonly advice?: ((names: string) => string) | undefined;
}

/**
 * Loads a module that needs optional packages.
 *
 * @throws {ConfigurationError} When one of them is not installed; the message says how to install all of them.
 */
export async function loadOptional<Loaded>(use: OptionalUse, load: () => Promise<Loaded>): Promise<Loaded> {
  try {
    return await load();
  } catch (error) {
    throw isMissing(error, use.packages) ? missingPackages(use, error) : error;
  }
}

/** Whether a module was not loaded because one of these packages is not installed. */
function isMissing(error: unknown, packages: readonly string[]): boolean {
  if (!(error instanceof Error) || !("code" in error)) return false;
  const isNotFound = error.code === "ERR_MODULE_NOT_FOUND" || error.code === "MODULE_NOT_FOUND";
  return isNotFound && packages.some((name) => new RegExp(`['"]${name}(?:/[^'"]*)?['"]`).test(error.message));
}

/** The error that says how to install the missing packages. */
export function missingPackages(use: OptionalUse, cause?: unknown): ConfigurationError {
  const { user, packages, advice = (names: string) => `npm install ${names}` } = use;
  const what = packages.length === 1 ? "a package that is" : "packages that are";
  return new ConfigurationError(`${user} needs ${what} not installed: ${advice(packages.join(" "))}`, { cause });
}
