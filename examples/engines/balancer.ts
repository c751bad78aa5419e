// One address for several workers: node balancer.ts 9080 9081 9082. Distributes connections in turn, skipping workers that are gone.
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

const [listen = 9080, ...workers] = process.argv.slice(2).map(Number);
let turn = 0;

const server = createServer({ noDelay: true }, (client) => passOn(client, workers.length));
server.listen(listen, "127.0.0.1", () =>
  console.log(`listening on ${(server.address() as AddressInfo).port} for ${workers.join(", ")}`),
);

function passOn(client: Socket, left: number): void {
  if (left === 0) return void client.destroy();
  const worker = connect({ port: workers[turn++ % workers.length] ?? 0, host: "127.0.0.1", noDelay: true });
  let connected = false;
  worker.once("connect", () => {
    connected = true;
    client.pipe(worker).pipe(client);
    client.once("close", () => worker.destroy());
  });
  worker.on("error", () => (connected ? client.destroy() : passOn(client, left - 1)));
  client.on("error", () => worker.destroy());
}
