import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { UIMessageChunk } from "@pollux/web/ai-sdk";
import { describe, expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../../../core/test/helpers/store-process.ts";
import { buildMessage } from "../ai-sdk/page.ts";
import { readChunks, readUntil, restOf, textOf, userMessage } from "./chat-page.ts";

/** A chat server in another process. @param hangs - Its answers never end after their words. */
async function startServer(
  kind: string,
  path: string,
  words: number,
  hangs = false,
): Promise<{ readonly url: string; readonly child: ChildProcess }> {
  const file = fileURLToPath(new URL("../programs/chat-server.ts", import.meta.url));
  const child = spawn(
    process.execPath,
    [
      "--conditions=pollux-source",
      "--disable-warning=ExperimentalWarning",
      file,
      kind,
      path,
      String(words),
      String(hangs),
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return { child, ...(JSON.parse(line) as { readonly url: string }) };
}

async function send(url: string, text: string, id: string): Promise<Response> {
  return await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ id: "c1", messages: [userMessage(text, id)] }),
  });
}

const sentence = (words: number): string => Array.from({ length: words }, (_, index) => `w${index} `).join("");

describe.each(["sqlite", "jsonl"])("two servers on one store (%s)", (kind) => {
  const pathIn = (folder: string): string => (kind === "sqlite" ? join(folder, "chats.db") : folder);

  test("one follows an answer of the other, and stops it", async () => {
    const path = pathIn(temporaryFolder());
    const [one, other] = await Promise.all([startServer(kind, path, 10, true), startServer(kind, path, 1)]);
    const mine = readChunks(await send(one.url, "Count", "m1"));
    await readUntil(mine, "w5 ");
    const theirs = readChunks(await fetch(`${other.url}/c1/stream`));
    await readUntil(theirs, "w5 ");
    expect(await (await fetch(`${other.url}/c1/stop`, { method: "POST" })).json()).toEqual({ stopped: true });
    const [rest] = await Promise.all([restOf(mine), restOf(theirs)]);
    expect(rest.map(({ type }) => type)).toContain("abort");
    const { state, messages } = (await (await fetch(`${other.url}/c1`)).json()) as {
      state: string;
      messages: object[];
    };
    expect(state).toBe("stopped");
    expect(JSON.stringify(messages)).toContain("w0 w1 w2 ");
  });

  test("a server that is killed in the middle of an answer: the page that asks again sees all of it, once", async () => {
    const path = pathIn(temporaryFolder());
    const dying = await startServer(kind, path, 41, true);
    const cut = readChunks(await send(dying.url, "Count", "m1"));
    await readUntil(cut, "w40 ");
    dying.child.kill("SIGKILL");
    await expect(restOf(cut)).rejects.toThrow();

    const next = await startServer(kind, path, 100);
    const chunks: UIMessageChunk[] = [];
    for await (const chunk of readChunks(await fetch(`${next.url}/c1/stream`))) chunks.push(chunk);
    const message = await buildMessage(7, chunks);
    const text = message.parts.map((part) => (part.type === "text" ? String(part["text"]) : "")).join("");
    expect(text).toBe(sentence(100));
    expect(chunks.at(-1)).toMatchObject({ type: "finish", finishReason: "stop" });
    expect((await fetch(`${next.url}/c1/stream`)).status).toBe(204);
  });

  test("a message that is sent again to another server, while the first answers it, runs once", async () => {
    const path = pathIn(temporaryFolder());
    const [one, other] = await Promise.all([startServer(kind, path, 50), startServer(kind, path, 50)]);
    const answers = await Promise.all([send(one.url, "Count", "m1"), send(other.url, "Count", "m1")]);
    const texts = await Promise.all(answers.map(async (answer) => textOf(await restOf(readChunks(answer)))));
    expect(texts).toEqual([sentence(50), sentence(50)]);
    const { messages } = (await (await fetch(`${one.url}/c1`)).json()) as { messages: object[] };
    expect(messages).toHaveLength(2);
  });
});
