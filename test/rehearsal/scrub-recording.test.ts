import { Agent, approve, defineTool, endpoint, gemini, type Json, MemoryStore } from "@pollux/core";
import { KeptExchanges, keepExchanges } from "@pollux/core/exchanges";
import { readResponseBody } from "@pollux/core/model";
import { type Recording, scrubRecording } from "@pollux/core/rehearsal";
import { call, createEmulator, say, script, type ScriptLine, think } from "@pollux/emulator";
import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { DEMO_IDS, makeDemoSessions } from "../../packages/inspector/test/demo-sessions.ts";

const demos = new Map<string, Recording>();
beforeAll(async () => {
  const [sessions, exchanges] = [new MemoryStore(), new MemoryStore()];
  await makeDemoSessions({ sessions, exchanges });
  for (const id of DEMO_IDS) demos.set(id, { log: await sessions.load(id), exchanges: await exchanges.load(id) });
});

/** Names, orders and books of the demo sessions, with replacements that are longer, shorter and in other scripts. */
const SCRUB = (text: string): string =>
  text
    .replaceAll(/\b[A-Z]-\d+\b/g, "X-0")
    .replaceAll(/Lost in Translation|Solaris|Dune|Ubik/g, "a 📕 book")
    .replaceAll(/Le Guin|Oslo/g, "…");
const SECRET = /\b[ABCD]-\d+\b|Lost in Translation|Solaris|Dune|Ubik|Le Guin|Oslo/;

const same = (text: string): string => text;

/** A recording as text, with whole bodies. */
function readable({ log, exchanges }: Recording): string {
  const kept = new KeptExchanges(exchanges);
  expect(kept.unreadable).toEqual([]);
  const bodies = kept.exchanges.map(({ position, chunks }) => [
    new TextDecoder().decode(kept.body(position)),
    chunks.map(({ text }) => text).join(""),
  ]);
  return JSON.stringify([log, bodies]);
}

describe.each(DEMO_IDS)("the session %s", (id) => {
  test("stays as it is when nothing is taken out", () => {
    const recording = demos.get(id)!;
    const { recording: scrubbed, differences, counts } = scrubRecording(recording, same);
    expect(scrubbed).toEqual(recording);
    expect(JSON.stringify(scrubbed)).toBe(JSON.stringify(recording));
    expect(differences).toEqual([]);
    expect(counts).toMatchObject({ texts: 0, secrets: 0, exchanges: 0, signatures: 0, citations: 0, unreadable: 0 });
  });

  test("has no trace of removed texts, and is the same when scrubbed again", () => {
    const { recording } = scrubRecording(demos.get(id)!, SCRUB);
    expect(readable(recording)).not.toMatch(SECRET);
    const again = scrubRecording(recording, SCRUB);
    expect(again.recording).toEqual(recording);
    expect(again.differences).toEqual([]);
  });

  test("keeps its shape when every text is replaced", () => {
    const recording = demos.get(id)!;
    const { recording: scrubbed } = scrubRecording(recording, () => "x");
    expect(shapeOf(scrubbed.log)).toEqual(shapeOf(recording.log));
    for (const part of answersIn(scrubbed).flatMap(({ content }) => content.parts)) expect(part.text ?? "x").toBe("x");
  });

  test("has the same answers in its log and in its exchanges, and requests that continue them", () => {
    const { recording } = scrubRecording(demos.get(id)!, SCRUB);
    const said = new Set(answersIn(recording).map(({ content }) => JSON.stringify(content)));
    for (const entry of recording.log) for (const content of contentsIn(entry)) said.add(content);
    const kept = new KeptExchanges(recording.exchanges);
    for (const { position, parent } of kept.exchanges) {
      const { contents } = JSON.parse(new TextDecoder().decode(kept.body(position)));
      for (const content of contents)
        if (parent === undefined && content.role === "model") expect(said).toContain(JSON.stringify(content));
    }
  });
});

describe("a session with signatures, parallel calls and questions", () => {
  const lookUp = defineTool({
    name: "look_up",
    description: "Finds a customer, such as Anna.",
    input: z.object({ name: z.string() }),
    run: ({ name }) => ({ found: `${name} lives in Bergen`, key: `AIza${"k".repeat(35)}` }),
  });
  const write = defineTool({
    name: "write",
    description: "Writes a letter.",
    input: z.object({ to: z.string() }),
    needsApproval: true,
    run: ({ to }) => `written to ${to}`,
  });
  const noAnna = (text: string): string => text.replaceAll("Anna", "K");

  function recorder(lines: readonly ScriptLine[]) {
    const [sessions, exchanges] = [new MemoryStore(), new MemoryStore()];
    const emulator = createEmulator({ brain: script(lines) });
    const model = gemini("gemini-3.8-flash", {
      endpoint: endpoint({ baseUrl: "http://127.0.0.1" }),
      fetch: (input, init) => emulator.fetch(input, init),
    });
    const keeper = keepExchanges(exchanges);
    const tools = [lookUp, write];
    const agent = new Agent({ model, tools, observers: [keeper], settings: { includeThoughts: true } });
    const end = async (): Promise<Recording> => {
      await keeper.flush();
      return { log: await sessions.load("s"), exchanges: await exchanges.load("s") };
    };
    return { agent, session: agent.session({ id: "s", store: sessions }), end };
  }

  /** Its agent makes it again, step by step. */
  async function replays(agent: Agent, { log }: Recording): Promise<string> {
    const store = new MemoryStore();
    await store.append("s", 0, log);
    const { text } = await agent.session({ id: "s", store }).replay().result();
    return text;
  }

  test("loses texts in split chunks, arguments, outcomes, metadata and requests, and keeps members and declarations", async () => {
    const { agent, session, end } = recorder([
      [think("Who is Anna?"), call("look_up", { name: "Kim" }), call("look_up", { name: "Anna" })],
      say("Hello A", "n", "na!"),
    ]);
    await session.send("I am Anna, who lives in Bergen.", { metadata: { customer: "Anna", Anna: 1 } });
    const { recording: scrubbed, differences, counts } = scrubRecording(await end(), noAnna);
    const text = readable(scrubbed);
    // The tool's description, and the name of a member of the metadata.
    expect(new Set(text.match(/\w+\W+Anna\W{1,2}/g))).toEqual(new Set(["as Anna.\\", 'K","Anna":']));
    expect(text).not.toMatch(/AIza/);
    const key = "[redacted].............................";
    expect(differences).toEqual([
      {
        where: "log[0].input[0].parts[0].text",
        was: "I am Anna, who lives in Bergen.",
        is: "I am K, who lives in Bergen.",
      },
      { where: "log[0].metadata.customer", was: "Anna", is: "K" },
      { where: "log[1].outcome.value.response.content.parts[0].text", was: "Who is Anna?", is: "Who is K?" },
      { where: "log[2].outcome.value.part.functionResponse.response.output.key", was: key, is: key },
      {
        where: "log[3].outcome.value.part.functionResponse.response.output.found",
        was: "Anna lives in Bergen",
        is: "K lives in Bergen",
      },
      { where: "log[5].outcome.value.response.content.parts[0].text", was: "Hello Anna!", is: "Hello K!" },
    ]);
    expect(counts).toEqual({
      texts: 6,
      secrets: 1,
      exchanges: 2,
      signatures: 2,
      citations: 0,
      unreadable: 0,
      media: 0,
    });
    expect(await replays(agent, scrubbed)).toBe("Hello K!");
  });

  test("is made again with the answers to its questions, whose arguments were changed", async () => {
    const { agent, session, end } = recorder([call("write", { to: "Anna" }), say("I wrote to Anna.")]);
    const waiting = await session.send("Write a letter to Anna.");
    await session.answer({
      approvals: approve(waiting.stopReason === "needs-approval" ? waiting.pending : []),
      by: "Anna",
    });
    await session.continue();
    const { recording } = scrubRecording(await end(), noAnna);
    expect(readable(recording)).not.toMatch(/"Anna"/);
    expect(await replays(agent, recording)).toBe("I wrote to K.");
  });
});

/** Members that readers of entries depend on. */
function shapeOf(log: readonly Json[]): unknown {
  const WAYS =
    /^(?:type|runId|step|kind|callId|role|name|stopReason|finishReason|hook|do|model|agent|endpoint|family)$/;
  return JSON.parse(
    JSON.stringify(log, (name, value: unknown) => {
      // Texts of an answer are joined if the signature between them was removed.
      if (name === "parts")
        return (value as readonly object[]).map((part) => Object.keys(part)[0]).filter((key) => key !== "text");
      if (name === "segment") return undefined;
      return typeof value !== "string" || WAYS.test(name) ? value : undefined;
    }),
  );
}

function answersIn({ exchanges }: Recording): readonly ReturnType<typeof readResponseBody>["response"][] {
  return new KeptExchanges(exchanges).exchanges
    .filter(({ status, ended }) => status === 200 && ended === "complete")
    .map(({ chunks }) => readResponseBody(chunks.map(({ text }) => text).join("")).response);
}

function contentsIn(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  const own = "role" in value && "parts" in value ? [JSON.stringify(value)] : [];
  return [...own, ...Object.values(value).flatMap(contentsIn)];
}
