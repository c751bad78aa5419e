/** A version of the packages whose guides the site has. */
export interface SiteVersion {
  /** As people call it: `0.2.0` for the current one, `0.1` for an older one. */
  readonly name: string;
  /** Where it is, from the root of the site: empty, or ending with a slash. */
  readonly path: string;
}

/** An older version to build. */
export interface OlderVersion extends SiteVersion {
  /** Its Git tag. */
  readonly tag: string;
}

/**
 * The file with all versions, at the root of the site. The pages of every version read it, so old ones know about new
 * ones.
 */
export const VERSIONS_FILE = "versions.json";

/** How many older versions the site keeps. */
const KEPT = 4;

/**
 * The versions to keep beside the current one, the newest first: of each minor version before it, the last release.
 *
 * @param tags - Of the repository; tags of releases look like `@pollux/core@0.1.0`.
 */
export function olderVersions(tags: readonly string[], current: string): readonly OlderVersion[] {
  const releases = tags
    .flatMap((tag) => {
      const [, version] = /^@pollux\/core@(\d+\.\d+\.\d+)$/.exec(tag) ?? [];
      return version === undefined ? [] : [{ tag, numbers: numbersOf(version) }];
    })
    .toSorted((one, other) => compare(other.numbers, one.numbers));
  const seen = new Set([minorOf(numbersOf(current))]);
  const kept = releases.flatMap(({ tag, numbers }) => {
    const name = minorOf(numbers);
    if (seen.has(name) || compare(numbers, numbersOf(current)) > 0) return [];
    seen.add(name);
    return [{ name, path: `v${name}/`, tag }];
  });
  return kept.slice(0, KEPT);
}

/** The text of {@link VERSIONS_FILE}. */
export function versionsText(current: string, older: readonly SiteVersion[]): string {
  const versions = [{ name: current, path: "" }, ...older.map(({ name, path }) => ({ name, path }))];
  return `${JSON.stringify(versions, null, 2)}\n`;
}

function numbersOf(version: string): readonly number[] {
  return version.split(/[.-]/).slice(0, 3).map(Number);
}

function minorOf([major, minor]: readonly number[]): string {
  return `${major}.${minor}`;
}

function compare(one: readonly number[], other: readonly number[]): number {
  const at = one.findIndex((number, index) => number !== other[index]);
  return at === -1 ? 0 : (one[at] ?? 0) - (other[at] ?? 0);
}
