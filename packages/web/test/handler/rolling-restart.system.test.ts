import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { checkSession } from "@pollux/core/doctor";
import { SqliteStore } from "@pollux/core/node";
import type { Drained } from "@pollux/web";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../../../core/test/helpers/store-process.ts";
import { openChat } from "../ai-sdk/chat-client.ts";
import type { BuiltMessage } from "../ai-sdk/page.ts";

/** A server in another process, as it tells of itself. */
class ServerProcess {
  readonly #child: ChildProcess;
  readonly #told: AsyncIterator<string>;
  /** Runs that are going now. */
  #going = 0;
  port = 0;

  constructor(...args: readonly string[]) {
    const file = fileURLToPath(new URL("../programs/draining-server.ts", import.meta.url));
    const options = ["--conditions=pollux-source", "--disable-warning=ExperimentalWarning"];
    const child = spawn(process.execPath, [...options, file, ...args], { stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    this.#child = child;
    const lines = createInterface({ input: child.stdout });
    lines.on("line", (line) => {
      // As the program prints it.
      const { going } = JSON.parse(line) as { readonly going?: number };
      if (going !== undefined) this.#going = going;
    });
    this.#told = lines[Symbol.asyncIterator]();
  }

  async started(): Promise<this> {
    this.port = (await this.#tells<{ readonly port?: number }>(({ port }) => port !== undefined)).port ?? 0;
    return this;
  }

  async untilBusy(): Promise<void> {
    // What it told before may be long over.
    while (this.#going < 2) await this.#tells(({ going }: { readonly going?: number }) => going !== undefined);
  }

  /** Asks it to end. @returns How it did. */
  async terminate(): Promise<{ readonly drained: Drained; readonly code: number | null }> {
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const { drained } = await this.#tells<{ readonly drained: Drained }>((line) => "drained" in line);
    return { drained, code: ((await ended) as [number | null])[0] };
  }

  async #tells<Line extends object>(isIt: (line: Line) => boolean): Promise<Line> {
    for (;;) {
      const { done, value } = await this.#told.next();
      if (done === true) throw new Error("the server has ended");
      // As the program prints it.
      const line = JSON.parse(value) as Line;
      if (isIt(line)) return line;
    }
  }
}

/** One address for all servers: connections are given out in turn, and servers that take none are skipped. */
async function startBalancer(servers: readonly ServerProcess[]): Promise<string> {
  let turn = 0;
  const passOn = (client: Socket, left: number): void => {
    if (left === 0) return void client.destroy();
    const worker = connect({ port: servers[turn++ % servers.length]?.port ?? 0, host: "127.0.0.1", noDelay: true });
    let isConnected = false;
    worker.once("connect", () => {
      isConnected = true;
      client.pipe(worker).pipe(client);
      client.once("close", () => worker.destroy());
      worker.once("close", () => client.destroy());
    });
    worker.on("error", () => (isConnected ? client.destroy() : passOn(client, left - 1)));
  };
  const balancer = createServer({ noDelay: true }, (client) => {
    client.on("error", () => client.destroy());
    passOn(client, servers.length);
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void balancer.close());
  await once(balancer, "listening");
  // A server that listens on a port has one.
  return `http://127.0.0.1:${(balancer.address() as AddressInfo).port}/api/chat`;
}

/** A person with a page that sends again or reconnects whenever it is cut off, and asks the next thing when it has an answer. */
async function converse(url: string, owner: string, isOver: () => boolean): Promise<Person> {
  const seen: string[] = [];
  // The client asks by address.
  const toServer = async (input: string, init: RequestInit = {}): Promise<Response> => {
    const address = input.replace("https://chat.example.com/api/chat", url).replace(/\/stream$/, "/stream?ended");
    const headers = new Headers(init.headers);
    headers.set("x-user", owner);
    headers.set("accept", "application/json");
    const response = await fetch(address, { ...init, headers });
    seen.push(String(response.status));
    return response;
  };
  const chat = openChat(7, { id: "c1", fetch: toServer as typeof fetch });
  let said = 0;
  while (!isOver() || said === 0) {
    await chat.sendMessage({ text: `${owner}-${++said}` });
    while (chat.status === "error") {
      if (chat.error instanceof TypeError) seen.push("cut");
      else if (chat.error?.message.includes('"draining"') !== true) throw chat.error ?? new Error("no error");
      const last = chat.messages.at(-1);
      if (last?.role === "user") await chat.sendMessage({ text: `${owner}-${said}`, messageId: last.id });
      else await chat.resumeStream();
    }
  }
  return { owner, said, seen, messages: chat.messages };
}

interface Person {
  readonly owner: string;
  readonly said: number;
  /** Statuses of responses, and connections that were cut. */
  readonly seen: readonly string[];
  readonly messages: readonly BuiltMessage[];
}

const textsOf = (messages: readonly BuiltMessage[]): readonly string[] =>
  messages.map(({ parts }) => parts.map((part) => (part.type === "text" ? String(part["text"]) : "")).join(""));

test("servers that are restarted one after the other, under load, lose and repeat nothing, and nobody waits for a lease", async () => {
  const folder = temporaryFolder();
  const [path, effects] = [join(folder, "chats.db"), join(folder, "effects")];
  await writeFile(effects, "");
  const open = async (): Promise<ServerProcess> => await new ServerProcess(path, effects).started();
  const servers = [await open(), await open(), await open()];
  const url = await startBalancer(servers);

  let isOver = false;
  const owners = ["ann", "bob", "cleo", "dan", "eve", "fay", "gus", "hal"];
  const talking = Promise.all(owners.map((owner) => converse(url, owner, () => isOver)));
  const total = { ended: 0, released: 0 };
  for (let restarts = 0; restarts < 6; restarts++) {
    const place = restarts % servers.length;
    const [old, fresh] = [servers[place], await open()];
    await Promise.race([old?.untilBusy(), talking]);
    servers[place] = fresh;
    const { drained, code } = (await old?.terminate()) ?? {};
    expect(code).toBe(0);
    total.ended += drained?.ended ?? 0;
    total.released += drained?.released ?? 0;
  }
  isOver = true;
  const people = await talking;

  expect(total.released).toBeGreaterThan(0);
  const done = (await readFile(effects, "utf8")).trim().split("\n").toSorted();
  const asked = people.flatMap(({ owner, said }) =>
    Array.from({ length: said }, (_, index) => `${owner}-${index + 1}`),
  );
  expect(done).toEqual(asked.toSorted());
  for (const { owner, said, seen, messages } of people) {
    const conversation = Array.from({ length: said }, (_, index) => `${owner}-${index + 1}`).flatMap((text) => [
      text,
      `It is done, and all of it: paid ${text}. Anything else?`,
    ]);
    expect(textsOf(messages)).toEqual(conversation);
    expect(seen.filter((one) => !["200", "503", "cut"].includes(one))).toEqual([]);
    const stored = await fetch(`${url}/c1`, { headers: { "x-user": owner } });
    expect(textsOf(((await stored.json()) as { messages: BuiltMessage[] }).messages)).toEqual(conversation);
  }
  using store = new SqliteStore(path);
  for (const { id } of await store.list()) {
    const lines = (await store.load(id)).map((value) => ({ value }));
    expect(checkSession(lines).problems).toEqual([]);
  }
});
