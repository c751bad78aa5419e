import { outcome } from "../request.ts";
import type { Profile } from "../../../src/validate/contract.ts";
import { CONFIG } from "./config.ts";
import { CONTENTS } from "./contents.ts";
import { FIELDS } from "./fields.ts";
import { SIGNATURES } from "./signatures.ts";
import { TOOLS } from "./tools.ts";
import { TRANSPORT } from "./transport.ts";

/** Every case of a refused request. */
export const CASES = [...TRANSPORT, ...FIELDS, ...CONTENTS, ...TOOLS, ...CONFIG, ...SIGNATURES].map(
  ([rule, what, asked, message, status = 400]) => ({ rule, what, asked, message, status }),
);

const PROFILES: readonly Profile[] = ["developer", "developer-v1", "vertex", "comet", "old-proxy"];

/** The profiles in which the rule refuses one of its cases: `all`, or their names. `developer` stands for both versions. */
export function profilesOf(rule: string): string {
  const cases = CASES.filter((item) => item.rule === rule);
  const found = PROFILES.filter((profile) =>
    cases.some(({ asked }) => {
      const stripped = profile === "old-proxy" && asked.profile !== profile ? { body: withoutIds(asked.body) } : {};
      const verdict = outcome({ ...asked, profile, ...stripped });
      return verdict !== "accepted" && verdict.rule === rule;
    }),
  );
  if (found.length === PROFILES.length) return "all";
  return found.filter((profile) => profile !== "developer-v1" || !found.includes("developer")).join(", ");
}

/** Most cases are not about ids, which an old proxy does not know. */
function withoutIds(body: unknown): unknown {
  return typeof body === "object" ? JSON.stringify(body).replaceAll(/"id":"\w+",/g, "") : body;
}
