/** What is published has no sources: their condition, which this repository's own programs set, is left out of the manifests. */
export const hooks = {
  beforePacking: (manifest) => ({
    ...manifest,
    ...(manifest.exports && { exports: withoutSources(manifest.exports) }),
    ...(manifest.imports && { imports: withoutSources(manifest.imports) }),
  }),
};

function withoutSources(targets) {
  if (typeof targets !== "object") return targets;
  return Object.fromEntries(
    Object.entries(targets)
      .filter(([condition]) => condition !== "pollux-source")
      .map(([condition, target]) => [condition, withoutSources(target)]),
  );
}
