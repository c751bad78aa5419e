import { describe, expect, test } from "vitest";
import { FILE_SEARCH_RULES } from "../../packages/emulator/src/file-search/file-search-rules.ts";
import { INTERACTION_RULES } from "../../packages/emulator/src/interactions/interaction-rules.ts";
import { FAULTS, isGuessed, RULES } from "../../packages/emulator/test/listed-rules.ts";
import { resolveSwitches } from "../../packages/emulator/src/validate/switches.ts";
import { Budget } from "./budget.ts";
import { contrary } from "./deviations.ts";
import { describeChange } from "./question.ts";
import { QUESTIONS, UNASKABLE } from "./questions/all.ts";
import { NOT_BY_CASE } from "./questions/rules.ts";
import type { Row } from "./report.ts";
import { type LiveOptions, runLive } from "./run-live.ts";
import { bodyText } from "./service.ts";
import { emulated, type Target, targetAt, targetsOf } from "./targets.ts";

/** Asks questions. @returns Their rows. */
async function ask(target: Target, options: Partial<LiveOptions> = {}): Promise<readonly Row[]> {
  const rows = await runLive({
    targets: [target],
    budget: new Budget(1_000),
    only: ["questions", "rules"],
    wait: async () => {},
    ...options,
  });
  return rows.filter(({ part }) => part === "questions" || part === "rules");
}

const asked = QUESTIONS.flatMap((question) =>
  question.services.map((service) => ({ id: question.id, question, service })),
);

describe("the list of questions", () => {
  const marks = new Set(QUESTIONS.flatMap((question) => question.marks));
  const excused = new Set([...Object.keys(UNASKABLE), ...Object.keys(NOT_BY_CASE)]);

  test("has one for every rule that is a guess or unsure, for every guessed fault, and for every switch", () => {
    const guesses = Object.entries({ ...INTERACTION_RULES, ...FILE_SEARCH_RULES }).filter(
      ([, [certainty]]) => certainty === "guess",
    );
    const guessed = [...RULES, ...FAULTS].filter(isGuessed);
    const names = [...guessed.map(({ id }) => id), ...guesses.map(([id]) => id), ...Object.keys(resolveSwitches({}))];
    expect(names.length).toBeGreaterThan(25);
    expect(names.filter((name) => !marks.has(name) && !Object.hasOwn(UNASKABLE, name))).toEqual([]);
  });

  test("has one for every rule, or says why not", () => {
    expect(RULES.map(({ id }) => id).filter((id) => !marks.has(id) && !excused.has(id))).toEqual([]);
  });

  test("names each once, and marks nothing that is gone", () => {
    expect(new Set(QUESTIONS.map(({ id }) => id)).size).toBe(QUESTIONS.length);
    const ids = new Set([...RULES.map(({ id }) => id), ...Object.keys({ ...INTERACTION_RULES, ...FILE_SEARCH_RULES })]);
    expect(
      [...marks, ...excused].filter(
        (mark) => /^[A-Z]-\d+[a-z]?$/.test(mark) && !ids.has(mark) && !mark.startsWith("M-"),
      ),
    ).toEqual([]);
  });
});

describe("against the emulator as it is", () => {
  test.each(["developer", "vertex", "comet"] as const)("nothing differs: %s", async (service) => {
    const rows = await ask(emulated(service), { budget: new Budget(2) });
    expect(rows.length).toBeGreaterThan(5);
    expect(rows.filter(({ outcome }) => outcome !== "same")).toEqual([]);
  });
});

describe("against one that deviates", () => {
  const switched = asked.flatMap(({ id, question, service }) =>
    Object.entries(question.changes).flatMap(([reading, change]) =>
      "options" in change ? [{ id, question, service, reading, change }] : [],
    ),
  );

  test.each(switched)(
    "$id ($service) reports $reading, and the option for it",
    async ({ question, service, reading, change }) => {
      const today = await ask(emulated(service), { questions: [question] });
      const [row] = await ask(emulated(service, change.options), { questions: [question] });
      if (today[0]?.said.split(": ", 1)[0] === reading) {
        expect(row?.outcome).toBe("same");
        return;
      }
      expect(row).toMatchObject({ outcome: "differs", change: describeChange(change) });
      expect(row?.said).toMatch(new RegExp(`^${reading}(?:: |$)`));
    },
  );

  test.each(asked)(
    "$id ($service) reports what it has never seen, and where it goes",
    async ({ question, service }) => {
      const [row] = await ask(await contrary(question, service), { questions: [question] });
      expect(row?.outcome).toBe("differs");
      expect(row?.change).toMatch(/^createEmulator\(\{ |^[\w/.-]+\.ts: /);
    },
  );
});

describe("the laws", () => {
  const keep = async (target: Target): Promise<readonly Row[]> =>
    runLive({ targets: [target], budget: new Budget(1_000), only: ["laws"] });

  test.each(["developer", "vertex", "comet"] as const)("are kept: %s", async (service) => {
    const rows = await keep(emulated(service));
    expect(rows.length).toBeGreaterThan(7);
    expect(rows.filter(({ outcome }) => outcome !== "same")).toEqual([]);
  });

  test("are broken by a service that takes no second request of a run", async () => {
    const target = emulated("developer");
    const send: Target["send"] = async (url, init) =>
      bodyText(init.body).includes("functionResponse")
        ? Response.json({ error: { code: 400, message: "No.", status: "INVALID_ARGUMENT" } }, { status: 400 })
        : target.send(url, init);
    const broken = (await keep({ ...target, send })).filter(({ outcome }) => outcome === "differs");
    expect(broken.map(({ id }) => id.slice(0, 5))).toEqual(["law-1", "law-3", "law-4", "law-5", "law-8"]);
    expect(broken[0]?.said).toMatch(/^broken: .*No\./s);
  });
});

describe("keys", () => {
  const found = (env: Readonly<Record<string, string>>): readonly string[] =>
    targetsOf(env).map(({ name, endpoint }) => `${name} ${new URL(endpoint.baseUrl).host}`);

  test("choose the services", () => {
    expect(found({})).toEqual([]);
    expect(found({ GEMINI_API_KEY: "k", COMETAPI_KEY: "c" })).toEqual([
      "developer generativelanguage.googleapis.com",
      "comet api.cometapi.com",
    ]);
    expect(found({ GOOGLE_API_KEY: "k", GOOGLE_GENAI_USE_ENTERPRISE: "true" })).toEqual([
      "vertex aiplatform.googleapis.com",
    ]);
  });

  test("go to no other address, whatever the environment says", async () => {
    expect(found({ GEMINI_API_KEY: "k", GOOGLE_GEMINI_BASE_URL: "http://127.0.0.1:1" })).toEqual([
      "developer generativelanguage.googleapis.com",
    ]);
    const there = targetAt("https://elsewhere.example", "developer", { GEMINI_API_KEY: "k", GOOGLE_API_KEY: "k" });
    expect(await there.endpoint.authHeaders()).toEqual({ "x-goog-api-key": "emulator" });
  });
});

describe("what can go wrong", () => {
  const few = QUESTIONS.slice(0, 12);
  const quota = (id: string, delay = "1s"): Response =>
    Response.json(
      {
        error: {
          code: 429,
          status: "RESOURCE_EXHAUSTED",
          message: "You exceeded your current quota.",
          details: [
            { "@type": "type.googleapis.com/google.rpc.QuotaFailure", violations: [{ quotaId: id }] },
            { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: delay },
          ],
        },
      },
      { status: 429 },
    );
  /** The emulator, with these answers before its own. */
  const after = (...first: readonly (() => Response)[]): Target & { readonly sent: string[] } => {
    const left = [...first];
    const sent: string[] = [];
    const target = emulated("developer");
    const send: Target["send"] = async (url, init) => {
      sent.push(url);
      return left.shift()?.() ?? target.send(url, init);
    };
    return { ...target, send, sent };
  };

  test("the ceiling is never exceeded, the report names unaffordable questions, and cheaper ones continue", async () => {
    for (const ceiling of [0, 0.0005, 0.002]) {
      const budget = new Budget(ceiling);
      const target = after();
      const rows = await ask(target, { questions: few, budget });
      expect(budget.spent).toBeLessThanOrEqual(ceiling);
      expect(rows.filter(({ outcome }) => outcome === "not asked").map(({ note }) => note)).toContainEqual(
        expect.stringMatching(/^\$\S+ of \$\S+ are spent, and this may cost \$/),
      );
      expect(rows.filter(({ outcome }) => outcome === "differs")).toEqual([]);
      if (ceiling === 0) expect(target.sent.filter((url) => url.includes("enerateContent"))).toEqual([]);
    }
  });

  test("no answer may be longer than what was counted for it", async () => {
    const sent: unknown[] = [];
    const send = new Budget(1).count(async (_url, { body }) => {
      sent.push(JSON.parse(bodyText(body)));
      return Response.json({});
    });
    const generate = (body: object): Promise<Response> =>
      send("https://x/v1beta/models/gemini-3.8-flash:generateContent", { body: JSON.stringify(body) });
    for (const generationConfig of [undefined, { topK: 1 }, { maxOutputTokens: 9 }])
      await generate({ contents: [], generationConfig });
    expect(sent).toEqual([
      { contents: [], generationConfig: { maxOutputTokens: 8_192 } },
      { contents: [], generationConfig: { topK: 1, maxOutputTokens: 8_192 } },
      { contents: [], generationConfig: { maxOutputTokens: 9 } },
    ]);
  });

  test("a model without a known price counts as the dearest, by what its answers report", async () => {
    const usage = { promptTokenCount: 1_000_000, candidatesTokenCount: 500_000, thoughtsTokenCount: 500_000 };
    const body = `data: {"usageMetadata":{"promptTokenCount":1}}\r\n\r\ndata: ${JSON.stringify({ usageMetadata: usage })}\r\n\r\n`;
    const budget = new Budget(100);
    const send = budget.count(async () => new Response(body));
    await (await send("https://x/v1beta/models/gemini-9-new:streamGenerateContent?alt=sse", { body: "{}" })).text();
    expect(budget.spent).toBeCloseTo(24);
    const commented = budget.count(async () => new Response(`: keep-alive\n\n${body}data: [DONE]\n\n`));
    await (await commented("https://x/v1beta/models/gemini-9-new:streamGenerateContent", { body: "{}" })).text();
    expect(budget.spent).toBeCloseTo(48);
    await (await send("https://x/v1beta/models/gemini-9-new:countTokens", { body: "{}" })).text();
    expect(budget.spent).toBeCloseTo(48);
  });

  test("a quota of a minute is waited for", async () => {
    const waits: number[] = [];
    const wait = async (ms: number): Promise<void> => void waits.push(ms);
    const rows = await ask(
      after(() => quota("GenerateRequestsPerMinutePerProjectPerModel", "7s")),
      { questions: few.slice(0, 1), wait },
    );
    expect(waits).toEqual([7_000]);
    expect(rows).toMatchObject([{ outcome: "same" }]);
  });

  test("a quota of a day ends the questions of its model, and no others", async () => {
    const daily = (): Response => quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier");
    const questions = QUESTIONS.filter(({ id }) =>
      ["json-forced", "store", "labels", "alias-gemini-pro-latest"].includes(id),
    );
    const target = after(daily);
    const rows = await ask(target, { questions: questions.toSorted((a) => (a.id.startsWith("alias") ? 1 : -1)) });
    expect(rows.map(({ outcome }) => outcome)).toEqual(["not asked", "not asked", "not asked", "same"]);
    expect(rows[0]?.note).toBe("the quota of gemini-3.8-flash is used up");
    expect(target.sent).toHaveLength(2);
  });

  test("a broken connection is tried again, and then is no answer", async () => {
    const broken = (): Response => {
      throw new TypeError("fetch failed");
    };
    expect(await ask(after(broken, broken), { questions: few.slice(0, 1) })).toMatchObject([{ outcome: "same" }]);
    expect(await ask(after(broken, broken, broken, broken), { questions: few.slice(0, 1) })).toMatchObject([
      { outcome: "not asked", note: "no connection: fetch failed" },
    ]);
  });

  const refused = (code: number, message: string) => (): Response =>
    Response.json({ error: { code, message, status: "REFUSED" } }, { status: code });

  test.each([
    ["is gone", refused(404, "models/x is not found")],
    ["is not for it", refused(403, "This model is for paid projects only.")],
    ["has no quota left", () => quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier")],
  ])("a model that %s is no difference, and breaks no law", async (_, none) => {
    const target = { ...emulated("developer"), send: async () => none() };
    const rows = await runLive({ targets: [target], budget: new Budget(1), only: ["store", "laws"] });
    expect(rows.filter(({ outcome }) => outcome !== "not asked")).toEqual([]);
  });
});
