/**
 * Loaded into a program by `NODE_OPTIONS=--import=…`: writes down, line by line, the hosts that the process and its children
 * connect to, with any library.
 */
import { appendFileSync } from "node:fs";
import { Socket } from "node:net";

const file = process.env["CONNECTIONS_FILE"] ?? "";
// oxlint-disable-next-line typescript/unbound-method -- called with the socket below
const connect = Socket.prototype.connect as (this: Socket, ...args: unknown[]) => Socket;

Socket.prototype.connect = function (this: Socket, ...args: unknown[]): Socket {
  // Either `(options, listener)`, or the same as one list when Node's own `net.connect` calls.
  const [options] = args.flat() as readonly {
    readonly host?: string;
    readonly port?: number;
    readonly path?: string;
  }[];
  appendFileSync(file, `${options?.path ?? `${options?.host ?? "localhost"}:${options?.port}`}\n`);
  return connect.apply(this, args);
};
