import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

/** A local registry to publish packages to and install them from. */
export interface PublishingRegistry extends AsyncDisposable {
  readonly url: string;
  /** Published packages by name. */
  readonly published: ReadonlyMap<string, Packument>;
}

/** A registry's document about a package: the members that the tests read. */
export interface Packument {
  readonly name: string;
  readonly versions: Readonly<Record<string, PublishedManifest>>;
}

interface PublishedManifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly dist: { readonly tarball: string };
}

/** A client's request to publish a package, with the tarball as attachment. */
interface Publication extends Packument {
  readonly _attachments: Readonly<Record<string, { readonly data: string }>>;
}

/** Listens on a free port. Serves published packages, and accepts every package once. */
export async function servePublishing(): Promise<PublishingRegistry> {
  const published = new Map<string, Packument>();
  const tarballs = new Map<string, Buffer>();
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = decodeURIComponent(request.url ?? "").slice(1);
    const known = published.get(path);
    if (request.method === "PUT" && known === undefined) {
      const { _attachments: files, ...packument } = (await json(request)) as Publication; // by pnpm
      for (const [name, { data }] of Object.entries(files))
        tarballs.set(`${packument.name}/-/${name}`, Buffer.from(data, "base64"));
      published.set(packument.name, packument);
      response.writeHead(201).end("{}");
    } else if (known !== undefined) {
      response.setHeader("content-type", "application/json").end(JSON.stringify(known));
    } else {
      const tarball = tarballs.get(path);
      response.writeHead(tarball === undefined ? 404 : 200).end(tarball ?? "{}");
    }
  };
  const server = createServer((request, response) => void respond(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return {
    url: `http://127.0.0.1:${port}`,
    published,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
