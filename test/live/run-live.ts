import { appendFileSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { ApiStatusError, type Logger } from "@pollux/core";
import { recordFetch } from "@pollux/emulator";
import { Budget } from "./budget.ts";
import { examplesFor, openGate, runExample } from "./examples.ts";
import { LAWS } from "./laws.ts";
import { changeFor, describeChange, NOT_SERVED, type Question, type Reading } from "./question.ts";
import { QUESTIONS } from "./questions/all.ts";
import type { Row } from "./report.ts";
import { createAsk, MODEL, type Send, type ServiceName, Unanswered, type Wait } from "./service.ts";
import { emulated, type Target } from "./targets.ts";

export interface LiveOptions {
  readonly targets: readonly Target[];
  /** Folder for the recorded exchanges, below `exchanges`; absent to record nothing. */
  readonly folder?: string | undefined;
  readonly budget: Budget;
  /** `questions`, `rules`, `examples`, `laws`, or ids; everything if empty. */
  readonly only?: readonly string[] | undefined;
  /** The laws to check. */
  readonly model?: string | undefined;
  readonly questions?: readonly Question[] | undefined;
  /** Called after each question. */
  readonly onRow?: ((row: Row, at: number, of: number) => void) | undefined;
  readonly wait?: Wait | undefined;
  /** Ends the run: remaining questions stay open. */
  readonly signal?: AbortSignal | undefined;
}

/** A question, example or law. */
interface Item extends Pick<Row, "part" | "id" | "service" | "asks" | "marks"> {
  /** Dollars, from its cost with the emulator. */
  readonly estimate: number;
  readonly run: () => Promise<Pick<Row, "said" | "expected" | "change">>;
}

/** The cheapest model that each service is sure to have. */
const LAW_MODELS: Readonly<Record<ServiceName, string>> = {
  developer: "gemini-3.5-flash-lite",
  vertex: "gemini-3.5-flash-lite",
  comet: MODEL,
};
/** Estimated highest cost of an example, in dollars. */
const EXAMPLE_DOLLARS = 0.03;
const IMAGE_DOLLARS = 0.2;

/** The questions of a run, and their cost. */
export async function planLive(options: LiveOptions): Promise<readonly Item[]> {
  const { only = [], targets } = options;
  const wanted = (part: string, id: string): boolean => only.length === 0 || only.includes(part) || only.includes(id);
  const spentModels = new Set<string>();
  const items: Item[] = [];
  for (const target of targets)
    for (const question of options.questions ?? QUESTIONS) {
      const part = question.id.startsWith("rule-") ? "rules" : "questions";
      if (question.services.includes(target.name) && wanted(part, question.id))
        items.push(await questionItem(question, target, options, spentModels));
    }
  for (const target of targets)
    for (const item of await promiseItems(target, options)) if (wanted(item.part, item.id)) items.push(item);
  // Guesses first, then promises, then wordings, in case the money runs out.
  return items.toSorted((a, b) => Number(a.part === "rules") - Number(b.part === "rules"));
}

const NO_MONEY = "the ceiling was reached";

/** Asks as many questions as the budget allows. */
export async function runLive(options: LiveOptions): Promise<readonly Row[]> {
  const items = await planLive(options);
  const { signal, folder } = options;
  if (folder !== undefined) mkdirSync(folder, { recursive: true });
  const stopped = new Promise<never>((_, reject) => {
    signal?.addEventListener("abort", () => reject(new Unanswered("it was stopped")));
  });
  stopped.catch(() => {});
  const rows: Row[] = [];
  for (const item of items) {
    const row = await rowOf(item, options.budget, stopped);
    rows.push(row);
    options.onRow?.(row, rows.length, items.length);
  }
  if (folder === undefined) return rows;
  const leaks = leaksIn(folder, options.targets);
  const secrecy = {
    part: "laws",
    id: "law-9-a-key-never-leaks",
    service: "all",
    asks: "No key is in a recording.",
    marks: [],
  } as const;
  rows.push({
    ...secrecy,
    said: leaks.length === 0 ? "kept" : `a key in ${leaks.join(", ")}`,
    expected: "kept",
    outcome: leaks.length === 0 ? "same" : "differs",
  });
  return rows;
}

async function rowOf(
  { run, estimate: _estimate, ...about }: Item,
  budget: Budget,
  stopped: Promise<never>,
): Promise<Row> {
  try {
    budget.begin();
    // Sends nothing after a stop.
    await Promise.race([stopped, Promise.resolve()]);
    const found = await Promise.race([stopped, run()]);
    return { ...about, ...found, outcome: found.said === found.expected ? "same" : "differs" };
  } catch (error) {
    // An answer of an unexpected shape only ends its own question.
    const note = error instanceof Unanswered ? error.message : `it failed with ${String(error)}`;
    return { ...about, said: "", expected: "", outcome: "not asked", note };
  }
}

async function questionItem(
  question: Question,
  target: Target,
  options: LiveOptions,
  spentModels: Set<string>,
): Promise<Item> {
  const { id, asks, marks } = question;
  const { name: service } = target;
  const free = new Budget(Infinity);
  const local = emulated(service);
  const today = await question.ask(createAsk(local.endpoint, free.count(local.send), async () => {}));
  const run = async (): ReturnType<Item["run"]> => {
    const { send, saved, file } = recorded(`question-${id}-${service}`, target, options);
    try {
      const said = await question.ask(createAsk(target.endpoint, send, options.wait ?? setTimeout, spentModels));
      const { is, wording = "the model is not served" } = said;
      const isGone = is === NOT_SERVED && today.is !== NOT_SERVED && question.changes[NOT_SERVED] === undefined;
      if (isGone || (wording.startsWith("403") && today.wording?.startsWith("403") !== true))
        throw new Unanswered(wording);
      const change = changeFor(question, said, today, file);
      return {
        said: inWords(said),
        expected: change === undefined ? inWords(said) : inWords(today),
        change: change && describeChange(change),
      };
    } catch (error) {
      if (error instanceof Unanswered && error.spentModel !== undefined) spentModels.add(error.spentModel);
      throw error;
    } finally {
      await saved();
    }
  };
  return { part: id.startsWith("rule-") ? "rules" : "questions", id, service, asks, marks, estimate: free.spent, run };
}

async function promiseItems(target: Target, options: LiveOptions): Promise<readonly Item[]> {
  const { name: service, endpoint } = target;
  const { model = LAW_MODELS[service] } = options;
  const laws = LAWS.map(({ id, states, check }): Item => ({
    part: "laws",
    id,
    service,
    asks: states,
    marks: [],
    estimate: EXAMPLE_DOLLARS / 10,
    run: async () => {
      const { send, saved } = recorded(`${id}-${service}`, target, options);
      try {
        return kept(await check({ endpoint, send, model, logger: loggerOf(options.folder) }));
      } catch (error) {
        if (error instanceof Unanswered) throw error;
        if (options.budget.isReached) throw new Unanswered(NO_MONEY);
        if (error instanceof ApiStatusError && [403, 404, 429].includes(error.status))
          throw new Unanswered(error.message);
        return { said: `broken: ${error instanceof Error ? error.message : String(error)}`, expected: "kept" };
      } finally {
        await saved();
      }
    },
  }));
  const examples = examplesFor(target).map((file): Item => {
    const estimate = file.includes("image-output") ? IMAGE_DOLLARS : EXAMPLE_DOLLARS;
    const run = async (): ReturnType<Item["run"]> => {
      options.budget.check(estimate);
      const expected = "as documented";
      if (service === "comet") {
        options.budget.add(estimate);
        return { said: await runExample(file, { COMETAPI_KEY: target.secrets[0] }, options.signal), expected };
      }
      const { send, saved } = recorded(`example-${file.replace(".ts", "")}-${service}`, target, options);
      const gate = await openGate(target, send);
      try {
        const said = await runExample(
          file,
          service === "vertex"
            ? { GOOGLE_GENAI_USE_ENTERPRISE: "true", GOOGLE_VERTEX_BASE_URL: gate.url }
            : { GOOGLE_GEMINI_BASE_URL: gate.url },
          options.signal,
        );
        if (options.budget.isReached) throw new Unanswered(NO_MONEY);
        if (/^ended with .*\b(?:403|404|429) [A-Z_]+:/s.test(said)) throw new Unanswered(said);
        return { said, expected };
      } finally {
        gate.close();
        await saved();
      }
    };
    return { part: "examples", id: file, service, asks: `What does examples/${file} print?`, marks: [], estimate, run };
  });
  return [...laws, ...examples];
}

const kept = (note: string): Pick<Row, "said" | "expected" | "note"> => ({ said: "kept", expected: "kept", note });

/** Keeps the library's logs in a file, which must not contain a key. */
function loggerOf(folder: string | undefined): Logger {
  const write = (...line: readonly unknown[]): void => {
    if (folder !== undefined) appendFileSync(join(folder, "laws.log"), `${JSON.stringify(line)}\n`);
  };
  return { trace: write, debug: write, info: write, warn: write, error: write };
}

/** A counted `fetch` that writes its traffic into its own file. */
function recorded(
  name: string,
  target: Target,
  { folder, budget }: LiveOptions,
): { readonly send: Send; readonly saved: () => Promise<void>; readonly file: string } {
  if (folder === undefined) return { send: budget.count(target.send), saved: async () => {}, file: "" };
  const fetch = recordFetch(join(folder, "exchanges"), {
    name,
    secrets: target.secrets,
    fetch: (input, init) => target.send(input instanceof Request ? input.url : String(input), init ?? {}),
  });
  return { send: budget.count(fetch), saved: () => fetch.saved(), file: `exchanges/${name}.json` };
}

function inWords({ is, wording }: Reading): string {
  return wording === undefined ? is : `${is}: ${wording}`;
}

/** The keys, plain and encoded. */
export function formsOf(targets: readonly Target[]): readonly string[] {
  return targets
    .flatMap(({ secrets }) => secrets)
    .flatMap((key) => [key, encodeURIComponent(key), btoa(key), JSON.stringify(key).slice(1, -1)]);
}

/** The files of a folder that contain a key, plain or encoded. */
export function leaksIn(folder: string, targets: readonly Target[]): readonly string[] {
  const forms = formsOf(targets);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => {
      const text = readFileSync(file, "utf8");
      return forms.some((form) => text.includes(form));
    });
}
