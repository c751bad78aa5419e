import type { BigIntStats } from "node:fs";

/** Changes whenever a file is written or replaced. */
export function versionOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(":");
}
