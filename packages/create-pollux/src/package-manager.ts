export const PACKAGE_MANAGERS = ["npm", "pnpm", "yarn", "bun"] as const;

export type PackageManager = (typeof PACKAGE_MANAGERS)[number];

export function isPackageManager(name: string): name is PackageManager {
  return PACKAGE_MANAGERS.some((known) => known === name);
}

/** The package manager that started this program, as it says in the environment; otherwise npm. */
export function startingPackageManager(env: Readonly<Record<string, string | undefined>>): PackageManager {
  const [name = ""] = (env["npm_config_user_agent"] ?? "").split("/");
  return isPackageManager(name) ? name : "npm";
}

/** A text with npm commands, translated to another package manager's. */
export function inWordsOf(packageManager: PackageManager, text: string): string {
  if (packageManager === "npm") return text;
  // `bun test` is Bun's own test runner.
  const run = packageManager === "bun" ? "bun run" : packageManager;
  return text
    .replaceAll(/\bnpm install\b/g, `${packageManager} install`)
    .replaceAll(/\bnpm (?:run )?(?=[a-z])/g, `${run} `)
    .replaceAll(/\bnpx\b/g, { pnpm: "pnpm exec", yarn: "yarn", bun: "bunx" }[packageManager]);
}
