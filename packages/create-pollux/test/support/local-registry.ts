import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { basename } from "node:path";
import { execFileSync } from "node:child_process";
import type { PackedPackage } from "../../../../scripts/pack-packages.ts";

/** A registry that serves. */
export interface LocalRegistry extends AsyncDisposable {
  readonly url: string;
}

/** Serves packed packages as a registry would. For any other package, it names the registry that npm is set to. Nothing can be published. */
export async function serveRegistry(packed: readonly PackedPackage[]): Promise<LocalRegistry> {
  const upstream = execFileSync("npm", ["config", "get", "registry"], { encoding: "utf8" }).trim().replace(/\/$/, "");
  let url = "";
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? "");
    const asked = packed.find(({ name, tarball }) => path === `/${name}` || path === `/-/${basename(tarball)}`);
    if (request.method !== "GET") response.writeHead(405).end("{}");
    else if (asked === undefined) response.writeHead(307, { location: `${upstream}${request.url}` }).end();
    else if (path.startsWith("/-/")) response.end(readFileSync(asked.tarball));
    else response.setHeader("content-type", "application/json").end(JSON.stringify(describe(asked, url)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the registry has no port");
  url = `http://127.0.0.1:${address.port}`;
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** What a registry says of a package. */
function describe({ name, tarball }: PackedPackage, url: string): object {
  const text = execFileSync("tar", ["-xzOf", tarball, "package/package.json"], { encoding: "utf8" });
  const manifest = JSON.parse(text) as { readonly version: string }; // packed by us
  const integrity = `sha512-${createHash("sha512").update(readFileSync(tarball)).digest("base64")}`;
  const version = { ...manifest, dist: { tarball: `${url}/-/${basename(tarball)}`, integrity } };
  return {
    name,
    "dist-tags": { latest: manifest.version },
    versions: { [manifest.version]: version },
    time: { [manifest.version]: "2026-01-01T00:00:00.000Z" },
  };
}
