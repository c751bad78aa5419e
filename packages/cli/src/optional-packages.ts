import type { OptionalUse } from "@pollux/core/tool";

/**
 * Packages that only some commands need, and the message when they are not installed.
 *
 * @param command - The command line after `pollux`.
 * @param user - The part of it that needs them.
 */
export function optionalPackages(
  command: string,
  packages: readonly string[],
  user: string = "this command",
): OptionalUse {
  return {
    user,
    packages,
    advice: (names) =>
      `npm install @pollux/cli ${names}; or, to run it once: npx ${["@pollux/cli", ...packages].map((name) => `-p ${name}`).join(" ")} pollux ${command}`,
  };
}
