import { isGuessed, type Listed, RULES } from "../../../packages/emulator/test/listed-rules.ts";
import type { StrictSwitches } from "@pollux/emulator";
import { CASES } from "../../../packages/emulator/test/validate/cases/all.ts";
import { outcome } from "../../../packages/emulator/test/validate/request.ts";
import { type Change, fileOf, type Question, strict, taken } from "../question.ts";
import { MODEL } from "../service.ts";

/** Rules whose cases can't be sent: another question covers them, or something would have to break first. */
export const NOT_BY_CASE: Readonly<Record<string, string>> = {
  "A-1": "asked by `key-absent`",
  "A-2": "asked by `key-wrong`",
  "A-3": "it would take a key that has leaked",
  "A-4": "asked by `key-as-token`",
  "A-5": "asked by `comet-key-wrong`",
  "E-15": "asked by `matching-…`, as two switches depend on how it is refused",
  "E-55": "asked by `moved-…`, with signatures that the service has issued",
  "E-17": "only an old proxy has it",
  "E-19": "asked by `rule-e-50-…`: it is refused as a missing signature",
  "C-2": "it would take a cached content, which is paid for as long as it is kept",
  "F-1": "the address of an upload is made by the service",
  "E-77": "over a million tokens cost more than all other questions",
  "E-78": "asking would upload more than 100 MB",
};

/** The change if the service accepts what a rule refuses: the rule's switch, or its removal. */
const SWITCHES: Readonly<Record<string, StrictSwitches>> = {
  "E-14": { mixedResponses: "accept" },
  "E-40b": { allowedNames: false },
  "E-47": { schemaNeedsMimeType: false },
  "E-48c": { samplingRanges: "seen" },
};

/** A signature that the service accepts for any part. */
const DUMMY = "skip_thought_signature_validator";

/** A request that a rule refuses, without its switch. */
function conditionOf({ what }: Listed): string {
  return what.replaceAll(/ \(`\w+(?:\.\w+)?`(?:, `\w+`)*\)|; `exceptions`/g, "");
}

/** Whether the service refuses each rule's request, with which message: uses the requests of the emulator's own tests. */
export const RULE_QUESTIONS: readonly Question[] = CASES.flatMap(({ rule: id, what, asked }) => {
  const rule = RULES.find((one) => one.id === id);
  const { profile = "developer", body = { contents: [{ role: "user", parts: [{ text: "hi" }] }] } } = asked;
  const isLocal = asked.strict !== undefined || asked.keys !== undefined || asked.headers !== undefined;
  if (rule === undefined || isLocal || Object.hasOwn(NOT_BY_CASE, id) || profile.startsWith("old")) return [];
  if (profile !== "developer" && profile !== "vertex" && profile !== "comet") return [];
  const { model, verb, method, path } = asked;
  const sent =
    typeof body === "string" ? body : (JSON.parse(JSON.stringify(body).replaceAll('"SIG1"', `"${DUMMY}"`)) as unknown);
  const guessed = isGuessed(rule);
  const switches = SWITCHES[id] ?? (guessed ? { guesses: false } : undefined);
  const isSwitched = switches !== undefined && outcome({ ...asked, strict: switches }) === "accepted";
  const change: Change = isSwitched ? strict(switches) : { file: fileOf(id), edit: `${id}: take ${what}` };
  const marks = [id, ...(isSwitched ? Object.keys(switches) : [])];
  const by = model === undefined || model === MODEL ? "" : `, on ${model}`;
  const asks = `Is this refused: ${conditionOf(rule)} (${what}${by})?`;
  const slug = `${id} ${what}`
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
  const request = { model, verb, method, path: path?.slice(1), ...(method !== "GET" && { body: sent }) };
  return [
    taken(`rule-${slug}`, asks, marks, request, {
      services: [profile],
      changes: { taken: change },
      file: fileOf(id),
    }),
  ];
});
