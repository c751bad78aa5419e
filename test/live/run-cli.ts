import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Budget } from "./budget.ts";
import { markdown, printed, type LiveReport } from "./report.ts";
import { refusalOf } from "./question.ts";
import { hello } from "./questions/bodies.ts";
import { formsOf, leaksIn, type LiveOptions, planLive, runLive } from "./run-live.ts";
import { createAsk, SERVICES, Unanswered } from "./service.ts";
import { emulated, isService, type Target, targetAt, targetsOf } from "./targets.ts";

export const HELP = `Asks the service what nobody here knows for certain, and keeps every promise against it once.

  pnpm live [--ceiling 2] [--only PART|ID]... [--service NAME]... [--dry-run]
  pnpm live --against emulator

--ceiling USD    sends nothing that could cost more in all (default 2)
--only PART|ID   questions, rules, examples, laws, or the id of one; may be repeated (default: everything)
--service NAME   developer, vertex or comet; may be repeated (default: each with a key)
--against WHERE  emulator, or the URL of a server that stands for the service; it gets the key of POLLUX_LIVE_KEY only
--model ID       model that keeps the laws (default gemini-3.5-flash-lite, at CometAPI gemini-3.8-flash)
--folder DIR     where everything is recorded, without secrets (default live-recordings/DATE)
--dry-run        lists what would be asked, and what it costs by the emulator's answers
--help           this text

Keys: GEMINI_API_KEY or GOOGLE_API_KEY for Google, COMETAPI_KEY for CometAPI, and for Vertex AI in express mode GOOGLE_API_KEY
with GOOGLE_GENAI_USE_ENTERPRISE=true.

Costs are counted from each answer's usage. A model without a known price counts as the dearest, and an answer that is still to come
as all that it may be: 8,192 tokens, unless its request says less. The examples of CometAPI are not recorded, and count with an
estimate.

Ctrl-C stops it, with a report of the questions so far.

Exit code 0: nothing differs. 1: something does. 2: wrong arguments, no key, or a key that is refused. 130: stopped.`;

const NO_KEY = `No key is set, so there is nobody to ask. Set one of these:

  GEMINI_API_KEY or GOOGLE_API_KEY   the Developer API (https://aistudio.google.com/apikey)
  COMETAPI_KEY                       CometAPI
  GOOGLE_API_KEY and GOOGLE_GENAI_USE_ENTERPRISE=true   Vertex AI in express mode

To see how it works without a key: pnpm live --against emulator`;

const TITLES = { developer: "The Developer API", vertex: "Vertex AI", comet: "CometAPI" } as const;
const ROOT = fileURLToPath(new URL("../../", import.meta.url));

interface Output {
  readonly print: (line: string) => void;
  readonly tell: (line: string) => void;
}

/** Runs the command. @returns The exit code. */
export async function runCli(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  { print, tell }: Output,
  signal?: AbortSignal,
): Promise<0 | 1 | 2 | 130> {
  let options: LiveOptions & { readonly folder: string; readonly isDry: boolean };
  try {
    const { values } = parseArgs({
      args: args.filter((argument) => argument !== "--"),
      options: {
        ceiling: { type: "string", default: "2" },
        only: { type: "string", multiple: true, default: [] },
        service: { type: "string", multiple: true, default: [] },
        against: { type: "string" },
        model: { type: "string" },
        folder: { type: "string" },
        "dry-run": { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) {
      print(HELP);
      return 0;
    }
    const targets = findTargets(values.against, values.service, env);
    if (targets.length === 0) throw new Error(NO_KEY);
    const ceiling = Number(values.ceiling);
    if (!(ceiling >= 0)) throw new Error(`--ceiling takes dollars, such as 0.5; got ${values.ceiling}`);
    const stamp = new Date().toISOString().slice(0, 16).replace(":", "-");
    const { only, model, folder = join(ROOT, "live-recordings", stamp), "dry-run": isDry } = values;
    options = { targets, budget: new Budget(ceiling), folder, only, model, isDry };
  } catch (error) {
    tell(`${error instanceof Error ? error.message : String(error)}\nSee pnpm live --help.`);
    return 2;
  }

  const plan = await planLive(options);
  const missing = (options.only ?? []).find((name) => !plan.some(({ part, id }) => part === name || id === name));
  if (missing !== undefined) {
    tell(`There is nothing named ${missing} to ask.\nSee pnpm live --dry-run.`);
    return 2;
  }
  const estimate = plan.reduce((sum, item) => sum + item.estimate, 0);
  if (options.isDry)
    for (const item of plan) print(`${item.id} (${item.service}): ${item.asks} $${item.estimate.toFixed(4)}`);
  print(`${plan.length} to ask, for about $${estimate.toFixed(2)}; $${options.budget.ceiling} at most.`);
  if (options.isDry) return 0;

  const forms = formsOf(options.targets);
  const clean = (text: string): string => forms.reduce((left, form) => left.replaceAll(form, "[redacted]"), text);
  for (const target of options.targets) {
    const refusal = await refusalBy(target);
    if (refusal === undefined) continue;
    tell(
      clean(
        `${TITLES[target.name]} refuses: ${refusal}\nNothing was asked. Check the key, or name the others with --service.`,
      ),
    );
    return 2;
  }
  const rows = await runLive({
    ...options,
    signal,
    onRow: ({ id, service, outcome, note }, at, of) =>
      tell(clean(`${at}/${of} ${id} (${service}): ${outcome}${note ? ` (${note})` : ""}`)),
  });
  const report: LiveReport = {
    date: new Date().toISOString().slice(0, 10),
    spent: options.budget.spent,
    ceiling: options.budget.ceiling,
    rows,
  };
  mkdirSync(options.folder, { recursive: true });
  writeFileSync(join(options.folder, "report.json"), clean(`${JSON.stringify(report, null, 1)}\n`));
  writeFileSync(join(options.folder, "report.md"), clean(markdown(report)));
  print(clean(printed(report)));
  print(`Written to ${options.folder}`);
  const leaks = leaksIn(options.folder, options.targets);
  if (leaks.length > 0) tell(`A key is in ${leaks.join(", ")}: delete it, and change the key.`);
  if (signal?.aborted === true) return 130;
  return rows.some(({ outcome }) => outcome === "differs") || leaks.length > 0 ? 1 : 0;
}

/** Why a service would refuse everything, from a free request. */
async function refusalBy({ endpoint, send }: Target): Promise<string | undefined> {
  try {
    const answer = await createAsk(endpoint, send, setTimeout)({ ...hello(), verb: "countTokens" });
    const { wording = "" } = refusalOf(answer);
    return answer.status === 401 || answer.status === 403 || /\b(?:key|location|billing)\b/i.test(wording)
      ? wording
      : undefined;
  } catch (error) {
    if (error instanceof Unanswered) return error.message;
    throw error;
  }
}

function findTargets(
  against: string | undefined,
  names: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): readonly Target[] {
  const wrong = names.find((name) => !isService(name));
  if (wrong !== undefined) throw new Error(`--service must be one of ${SERVICES.join(", ")}, got ${wrong}`);
  const services = names.filter(isService);
  if (against === undefined)
    return targetsOf(env).filter(({ name }) => services.length === 0 || services.includes(name));
  const imitated = services.length === 0 ? (["developer"] as const) : services;
  return imitated.map((name) => (against === "emulator" ? emulated(name) : targetAt(against, name, env)));
}
