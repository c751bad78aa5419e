import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** One address for any number of workers. */
export interface Balancer {
  readonly url: string;
  add(name: string, port: number): void;
  remove(name: string): void;
  close(): Promise<void>;
}

/** Passes connections on to its workers in turn; without a worker they are refused. */
export async function openBalancer(): Promise<Balancer> {
  const ports = new Map<string, number>();
  const sockets = new Set<Socket>();
  let turn = 0;
  const server = createServer({ noDelay: true }, (client) => {
    const all = [...ports.values()];
    const port = all[turn++ % all.length];
    if (port === undefined) return void client.destroy();
    const worker = connect({ port, host: "127.0.0.1", noDelay: true });
    for (const [one, other] of [
      [client, worker],
      [worker, client],
    ] as const) {
      sockets.add(one);
      one.on("error", () => {});
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // The address of a server on a port.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    add: (name, worker) => void ports.set(name, worker),
    remove: (name) => void ports.delete(name),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
