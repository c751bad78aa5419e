/**
 * Sessions for the inspector's page, made by agents that run against the emulator: good and bad ones.
 *
 * `node --conditions=pollux-source packages/inspector/test/demo-sessions.ts FOLDER` writes them to `FOLDER/sessions` and
 * `FOLDER/exchanges`, for `pollux inspect FOLDER/sessions`.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { crc32, deflateSync } from "node:zlib";
import {
  Agent,
  type AgentOptions,
  defineTool,
  endpoint,
  gemini,
  googleSearch,
  type Json,
  type SessionInfo,
  type SessionStore,
  type SessionSummary,
} from "@pollux/core";
import { keepExchanges } from "@pollux/core/exchanges";
import { JsonlStore } from "@pollux/core/node";
import {
  call,
  calls,
  createEmulator,
  fault,
  faults,
  grounded,
  parts,
  say,
  script,
  type ScriptLine,
  think,
} from "@pollux/emulator";
import { z } from "zod";

/** Stores of the sessions, and their timing. */
export interface DemoOptions {
  readonly sessions: SessionStore;
  readonly exchanges: SessionStore;
  /** Tools and answers take a realistic time, a few hundred milliseconds. @defaultValue false */
  readonly isPaced?: boolean | undefined;
}

/** The ids of the sessions, each named for what it shows. */
export const DEMO_IDS = [
  "parallel-tools",
  "refund-approval",
  "grounded-answer",
  "dropped-citation",
  "long-chat",
  "inner-agent",
  "turn-limit",
  "cut-off",
  "changing-instructions",
  "repeated-calls",
  "looping-run",
  "failed-run",
  "overloaded-service",
  "rich-parts",
] as const;

const RULES = `You work for a bookshop. Look things up before you answer. ${"Be brief, be exact, and name the order. ".repeat(60)}`;

/** Makes all sessions. */
export async function makeDemoSessions({ sessions, exchanges, isPaced = false }: DemoOptions): Promise<void> {
  const keeper = keepExchanges(exchanges, { causes: {} });
  const wait = (ms: number): Promise<void> => (isPaced ? sleep(ms) : Promise.resolve());

  const getOrder = defineTool({
    name: "get_order",
    description: "Looks up an order.",
    input: z.object({ id: z.string() }),
    run: async ({ id }) => {
      await wait(140);
      return { id, status: "shipped", items: [{ title: "The Left Hand of Darkness", price: 12.5 }] };
    },
  });
  const getStock = defineTool({
    name: "get_stock",
    description: "Counts the copies of a book.",
    input: z.object({ title: z.string() }),
    exposeErrors: true,
    run: async ({ title }) => {
      await wait(60);
      if (title.includes("Lost")) throw new Error(`warehouse 4 does not know "${title}"`);
      return { title, copies: 3 };
    },
  });
  const getCarrier = defineTool({
    name: "get_carrier",
    description: "Asks the carrier where a parcel is.",
    input: z.object({ order: z.string() }),
    run: async ({ order }) => {
      await wait(320);
      return { order, place: "Rotterdam", due: "2026-11-25" };
    },
  });
  const refund = defineTool({
    name: "refund",
    description: "Pays money back.",
    input: z.object({ order: z.string(), amount: z.number() }),
    needsApproval: true,
    run: ({ amount }) => ({ refunded: amount }),
  });

  /** An agent whose service answers with these lines, one per request. */
  const agentOf = (lines: readonly ScriptLine[], options: Partial<AgentOptions> = {}): Agent => {
    const emulator = createEmulator({
      brain: script(lines),
      caches: { implicitMinTokens: 300 },
      ...(isPaced && { delays: { firstByteMs: 160, chunkMs: 25 } }),
    });
    return new Agent({
      name: "shop",
      model: gemini("gemini-3.8-flash", {
        endpoint: endpoint({ baseUrl: "http://gemini.test", apiKey: "demo-key" }),
        fetch: (input, init) => emulator.fetch(input, init),
        retry: isPaced ? { minDelayMs: 200, maxDelayMs: 400 } : { minDelayMs: 1, maxDelayMs: 2 },
      }),
      instructions: RULES,
      tools: [getOrder, getStock, getCarrier, refund],
      prices: { input: 0.3, cachedInput: 0.03, output: 2.5, searchQuery: 0.014 },
      observers: [keeper],
      ...options,
    });
  };
  const chat = (id: string, lines: readonly ScriptLine[], options: Partial<AgentOptions> = {}) =>
    agentOf(lines, options).session({ id, store: sessions });

  // Three calls at once, one of which fails; then an overloaded service.
  const parallel = chat(
    "parallel-tools",
    [
      [
        think("Order, stock and parcel do not depend on each other."),
        calls(
          { name: "get_order", args: { id: "A-1001" } },
          { name: "get_stock", args: { title: "Lost in Translation" } },
          { name: "get_carrier", args: { order: "A-1001" } },
        ),
      ],
      fault(faults.overloaded()),
      say(
        "Your parcel is in Rotterdam and should arrive on November 25. I could not check the stock of “Lost in Translation”.",
      ),
      say("You are welcome!"),
    ],
    { settings: { includeThoughts: true } },
  );
  await parallel.send("Where is order A-1001, and do you have Lost in Translation?");
  await parallel.send("Thanks!", { metadata: { channel: "web" } });

  await chat("refund-approval", [
    call("get_order", { id: "B-7" }),
    [say("I can refund it."), call("refund", { order: "B-7", amount: 12.5 })],
  ]).send("The book of order B-7 is damaged. I want my money back.");

  const sources = [
    { title: "yr.no", uri: "https://www.yr.no/oslo" },
    { title: "met.no", uri: "https://www.met.no/" },
  ];
  await chat(
    "grounded-answer",
    [
      grounded("It rains in Oslo today. – Tomorrow it will be dry, with 4 °C.", {
        queries: ["oslo weather today"],
        sources,
      }),
    ],
    { name: "weather", tools: [googleSearch()], instructions: "Answer from the web." },
  ).send("What is the weather in Oslo?");

  await chat(
    "long-chat",
    [
      say("It is a novel by Ursula K. Le Guin. ".repeat(40)),
      say("She also wrote The Dispossessed. ".repeat(40)),
      say("A summary: we spoke about Ursula K. Le Guin and two of her books."),
      say("It was published in 1974."),
      say("Yes, both won the Hugo Award."),
    ],
    { instructions: "You know books.", tools: [], compaction: { windowTokens: 900, threshold: 0.6, keep: 0.2 } },
  )
    .send("What is The Left Hand of Darkness?")
    .then(async () => {
      const session = agentOf(
        [say("A summary: we spoke about Le Guin."), say("It was published in 1974."), say("Both won the Hugo Award.")],
        { instructions: "You know books.", tools: [], compaction: { windowTokens: 900, threshold: 0.3, keep: 0.2 } },
      ).session({ id: "long-chat", store: sessions });
      await session.send("When was The Dispossessed published?");
      await session.send("Did they win a prize?");
    });

  const researcher = agentOf([call("get_stock", { title: "Solaris" }), say("There are three copies of Solaris.")], {
    name: "researcher",
    instructions: "Find out.",
    tools: [getStock],
  });
  await chat(
    "inner-agent",
    [call("researcher", { task: "How many copies of Solaris are there?" }), say("We have three copies of Solaris.")],
    { name: "planner", tools: [researcher.asTool({ description: "Finds out about stock." })] },
  ).send("Is Solaris in stock?");

  await chat(
    "turn-limit",
    ["A", "B", "C", "D"].map((title) => call("get_stock", { title })),
    { limits: { turns: 3, totalTokens: 50_000, toolCalls: 20 } },
  ).send("Count every book, one at a time.");

  let turnOfDay = 0;
  await chat(
    "changing-instructions",
    [
      call("get_order", { id: "C-1" }),
      call("get_stock", { title: "Ubik" }),
      call("get_carrier", { order: "C-1" }),
      say("Order C-1 is on its way."),
    ],
    {
      hooks: {
        // A common mistake: the time of day in the instructions.
        prepareTurn: () => ({ instructions: `It is 12:00:0${turnOfDay++}. ${RULES}` }),
      },
    },
  ).send("Tell me all about order C-1.");

  await chat("repeated-calls", [
    call("get_stock", { title: "Dune" }),
    call("get_stock", { title: "Dune" }),
    call("get_stock", { title: "Dune" }),
    say("There are three copies."),
  ]).send("How many copies of Dune are there?");

  // The model repeats the same call until the run stops.
  await chat(
    "looping-run",
    Array.from({ length: 9 }, () => call("get_stock", { title: "Lost in Translation" })),
  ).send("How many copies of Lost in Translation are there?");

  // The service answers two requests; the third fails at each attempt.
  await chat("overloaded-service", [
    call("get_order", { id: "D-4" }),
    call("get_carrier", { order: "D-4" }),
    ...Array.from({ length: 9 }, () => fault(faults.overloaded())),
  ])
    .send("When will order D-4 arrive?")
    .catch(() => {});

  await chat("failed-run", [fault(faults.apiError(400, "INVALID_ARGUMENT", "Request contains an invalid argument."))])
    .send("Hello?")
    .catch(() => {});

  await chat(
    "rich-parts",
    [
      [
        think("A picture, some code, and something that no release knows yet."),
        parts(
          { executableCode: { language: "PYTHON", code: "print(sum(range(10)))" } },
          { codeExecutionResult: { outcome: "OUTCOME_OK", output: "45\n" } },
          { inlineData: { mimeType: "image/png", data: gradient() } },
          { text: "The sum is 45, and here is a picture.", mood: "cheerful" } as never,
        ),
      ],
    ],
    { tools: [], settings: { includeThoughts: true } },
  ).send("Add the numbers below ten, and draw something.");

  await keeper.flush();
  await copyCut(sessions, "parallel-tools", "cut-off");
  await copyMiscounted(sessions, "grounded-answer", "dropped-citation");
}

/** A session whose process died in the middle of its calls. */
async function copyCut(store: SessionStore, from: string, to: string): Promise<void> {
  const entries = await store.load(from);
  const info = (await store.list()).find(({ id }) => id === from);
  const last = entries.findIndex((entry) => JSON.stringify(entry).includes('"step":"call:1.2"'));
  await store.append(to, 0, entries.slice(0, last), {
    info: { ...infoOf(info), state: "running", turns: 1, messages: 1 },
  });
}

/** A grounded answer from a service that miscounted: the cited text is not at its offsets. */
async function copyMiscounted(store: SessionStore, from: string, to: string): Promise<void> {
  const entries = await store.load(from);
  const text = JSON.stringify(entries).replace(
    /"segment":\{("[^}]*?")text":"[^"]*"/,
    '"segment":{$1text":"It snows in Bergen."',
  );
  const info = (await store.list()).find(({ id }) => id === from);
  // Entries that were changed as text are JSON still.
  await store.append(to, 0, JSON.parse(text) as Json[], { info: infoOf(info) });
}

function infoOf(summary: SessionSummary | undefined): SessionInfo {
  if (summary === undefined) throw new Error("the session to copy is not in the list");
  const { id, length, updatedAt, ...info } = summary;
  // Everything else in a summary is the session's info.
  return info as SessionInfo;
}

/** A picture of 96 by 64 pixels, as base64 of a PNG. */
function gradient(): string {
  const [width, height] = [96, 64];
  const rows = Buffer.alloc(height * (1 + 3 * width));
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) rows.set([40 + 2 * x, 90 + y, 220 - 2 * y], y * (1 + 3 * width) + 1 + 3 * x);
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    check.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, check]);
  };
  const header = Buffer.from([0, 0, 0, width, 0, 0, 0, height, 8, 2, 0, 0, 0]);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const pieces = [signature, chunk("IHDR", header), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat(pieces).toString("base64");
}

if (import.meta.main) {
  const folder = process.argv[2] ?? "demo";
  const [sessions, exchanges] = [new JsonlStore(`${folder}/sessions`), new JsonlStore(`${folder}/exchanges`)];
  await makeDemoSessions({ sessions, exchanges, isPaced: true });
  console.log(`pollux inspect ${folder}/sessions`);
}
