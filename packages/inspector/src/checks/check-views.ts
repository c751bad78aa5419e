import { HttpError } from "@pollux/core/serving";
import type { CheckResult, RequestCheck } from "../inspection/results.ts";
import { chooseAgent } from "../replay/choose-agent.ts";
import type { ViewHandler } from "../server/handlers.ts";
import { checkLog } from "./check-log.ts";
import { findRefusal } from "./check-request.ts";
import { checkTools } from "./check-tools.ts";

/** Problems in the log and in the declared functions. */
export const checkView: ViewHandler = async (call) => {
  const [fold, exchanges] = [await call.fold(), await call.exchanges()];
  const wanted = call.query.get("agent") ?? undefined;
  const named = chooseAgent(call.agents, { run: fold.runs.at(-1), exchanges }, wanted);
  return { log: checkLog(fold), tools: await checkTools(exchanges, named) } satisfies CheckResult;
};

/** Whether the service would take a kept request: `n` is its number. */
export const checkRequestView: ViewHandler = async (call) => {
  const n = Number(call.query.get("n") ?? Number.NaN);
  const exchanges = await call.exchanges();
  const details = exchanges.details(n);
  if (details === undefined) throw new HttpError(404, "not_found", "There is no such exchange in this session.");
  if (details.problem !== undefined) throw new HttpError(409, "damaged", details.problem);
  const { request, row } = details;
  const model = exchanges.kept.exchanges[n]?.model ?? "";
  // Some recordings have no address.
  const url = row.url === "" ? `/v1beta/models/${encodeURIComponent(model)}:generateContent` : row.url;
  const { method } = row;
  const { body } = request;
  return { refusal: await findRefusal({ method, url, body }), notes: notesOn(body) } satisfies RequestCheck;
};

function notesOn(body: string): readonly string[] {
  return [
    /"fileUri"\s*:/.test(body) && "The emulator can't tell whether its files still exist.",
    /"cachedContent"\s*:/.test(body) && "The emulator can't tell whether its cache still exists.",
    /"thoughtSignature"\s*:/.test(body) && "The emulator accepts its signatures: only the service can check them.",
  ].filter((note) => note !== false);
}
