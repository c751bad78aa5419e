import { Agent, defineTool, gemini, geminiApi, media, MemoryStore, type Part, type RunInput } from "@pollux/core";
import { readConversation } from "@pollux/core/conversation";
import { describe, expect, test } from "vitest";
import { deferred } from "../helpers/deferred.ts";
import { SESSION_FACES } from "./session-faces.ts";

const MAX = 100_000;
const image = (bytes: number) => media(new Uint8Array(bytes), "image/png");

/** A service that answers with these calls, then with text, and keeps the size of each request. */
function service(turns: readonly (readonly Part[])[]) {
  const bodies: string[] = [];
  const left = [...turns];
  const model = gemini("gemini-3-flash", {
    endpoint: geminiApi({ apiKey: "key" }),
    transport: "unary",
    maxRequestBytes: MAX,
    retry: { maxAttempts: 1 },
    fetch: async (_url: string, init: RequestInit) => {
      bodies.push(await new Response(init.body ?? "").text());
      const parts = left.shift() ?? [{ text: "Done." }];
      return Response.json({ candidates: [{ content: { role: "model", parts }, finishReason: "STOP" }] });
    },
  });
  return { model, bodies };
}

const show = (id: string): Part => ({ functionCall: { id, name: "show", args: {} }, thoughtSignature: "c2ln" });

describe.each(SESSION_FACES)("a session whose tools return images, by %s", (_, face) => {
  const tool = (bytes: number) =>
    defineTool({ name: "show", description: "Shows an image.", run: () => ["Here:", image(bytes)] });

  test("stays sendable when one result is larger than a request", async () => {
    const { model, bodies } = service([[show("a")]]);
    const session = new Agent({ model, tools: [tool(MAX)] }).session({ store: new MemoryStore() });
    expect((await face.send(session, "Show it")).text).toBe("Done.");
    expect(bodies[1]).toContain("[left out: image/png of 133336 bytes in base64; there is room for 50000 here]");
    expect((await face.send(session, "Thanks")).text).toBe("Done.");
  });

  test("stays sendable when results fit alone and not together: in a turn, in a run and over runs", async () => {
    const { model, bodies } = service([
      [show("a"), show("b"), show("c")],
      [show("d")],
      [{ text: "Done." }],
      [show("e")],
    ]);
    const session = new Agent({ model, tools: [tool(24_000)] }).session({ store: new MemoryStore() });
    for (const message of ["Show them", "Once more", "Thanks"])
      expect((await face.send(session, message)).text).toBe("Done.");
    expect(bodies).toHaveLength(6);
    for (const [index, body] of bodies.entries()) {
      expect(body.length).toBeLessThan(MAX);
      expect(body.match(/inlineData/g)?.length ?? 0).toBe(index === 0 ? 0 : 2);
      expect(body.match(/left out/g)?.length ?? 0).toBe([0, 1, 2, 2, 3, 3][index]);
    }
  });

  test("counts the results of calls that run at the same time", async () => {
    const { model, bodies } = service([[show("a"), show("b"), show("c")]]);
    const [begun, go] = [deferred(), deferred()];
    let running = 0;
    const slow = defineTool({
      name: "show",
      description: "Shows an image.",
      run: async () => {
        if (++running === 3) begun.resolve();
        await go.promise;
        return image(24_000);
      },
    });
    const session = new Agent({ model, tools: [slow] }).session({ store: new MemoryStore() });
    const result = face.send(session, "Show them");
    await begun.promise;
    go.resolve();
    expect((await result).text).toBe("Done.");
    expect(bodies[1]?.match(/inlineData/g)).toHaveLength(2);
  });
});

describe.each(SESSION_FACES)("a message that leaves no room for a request, by %s", (_, face) => {
  test.each<[string, RunInput]>([
    ["an image", ["See:", image(36_000)]],
    ["a text", "ü".repeat(24_000)],
  ])("%s, is refused before it is stored; the session goes on without it", async (_name, message) => {
    const { model } = service([]);
    const store = new MemoryStore();
    const session = new Agent({ model }).session({ id: "a", store });
    await face.send(session, ["See:", image(36_000)]);
    const stored = await store.load("a");
    const refused = { code: "session_limit", limit: "requestBytes", allowed: 75_000, used: expect.any(Number) };
    await expect(face.send(session, message)).rejects.toMatchObject(refused);
    await expect(session.steer(message)).rejects.toMatchObject(refused);
    await expect(session.steer(message, { id: "s" })).rejects.toMatchObject(refused);
    expect(await store.load("a")).toEqual(stored);
    expect((await face.send(session, "Hello")).text).toBe("Done.");
  });

  test("is refused as well beside what is said to the session and not read yet", async () => {
    const { model } = service([]);
    const session = new Agent({ model }).session({ store: new MemoryStore() });
    await session.steer(["See:", image(36_000)]);
    await expect(session.steer(["See:", image(36_000)])).rejects.toMatchObject({ limit: "requestBytes" });
    expect((await face.send(session, "Hello")).text).toBe("Done.");
  });

  test("is refused beside a large one that took the place of short ones", async () => {
    const session = new Agent({ model: service([]).model }).session({ store: new MemoryStore() });
    for (const short of ["1", "2", "3", "4"]) await face.send(session, short);
    for (let back = 0; back < 3; back++) await session.rewind();
    await face.send(session, [image(30_000)]);
    await face.send(session, "And?");
    await expect(face.send(session, [image(30_000)])).rejects.toMatchObject({ limit: "requestBytes" });
  });

  test("may take the place of another one that leaves it room", async () => {
    const { model } = service([]);
    const session = new Agent({ model }).session({ store: new MemoryStore() });
    await face.send(session, "Hello");
    await face.send(session, ["See:", image(36_000)]);
    const { messages } = await readConversation(session);
    const replaces = messages.findLast(({ role }) => role === "user")?.id;
    await expect(face.send(session, ["See:", image(60_000)], { replaces })).rejects.toMatchObject({
      code: "session_limit",
    });
    expect((await face.send(session, ["See:", image(40_000)], { replaces })).text).toBe("Done.");
  });
});
