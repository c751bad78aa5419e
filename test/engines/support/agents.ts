import { fileURLToPath } from "node:url";
import { Agent, defineJob, defineTool, endpoint, gemini, type SessionStore, type Tool } from "@pollux/core";
import { loadSkills } from "@pollux/tools/skills";
import { toolSearch } from "@pollux/tools/tool-search";

/** The environment of the agents. */
export interface AgentsPlace {
  /** Address of the model and of the service that executes items. */
  readonly outside: string;
  /** Name of this code, for the service. */
  readonly code: string;
  /** Stores runs inside calls if no engine does. */
  readonly store?: SessionStore | undefined;
}

/** How long a person has for an approval with a deadline, in milliseconds. */
export const SOON_MS = 1_500;

const INPUT = {
  type: "object",
  properties: { run: { type: "string" }, item: { type: "integer" } },
  required: ["run", "item"],
};

/** The agents of all these tests, on every engine: one that has tools and calls the other, and the called one. */
export async function makeAgents({
  outside,
  code,
  store,
}: AgentsPlace): Promise<readonly [errand: Agent, helper: Agent]> {
  const model = gemini("gemini-3.8-flash", { endpoint: endpoint({ baseUrl: outside, apiKey: "emulator" }) });

  const carryOut = async (input: unknown, key: string, signal: AbortSignal): Promise<string> => {
    const body = JSON.stringify({ ...(input as object), key, code });
    return await (await fetch(`${outside}/items`, { method: "POST", body, signal })).text();
  };

  function tool(name: string, more: { readonly [Option in "effects" | "needsApproval"]?: never } | object = {}): Tool {
    return defineTool({
      name,
      description: "Carries out one item of a run.",
      input: INPUT,
      // The outside world holds it for as long as a case needs.
      timeoutMs: Infinity,
      ...more,
      run: async (input, { idempotencyKey, signal }) => {
        const text = await carryOut(input, idempotencyKey, signal);
        return name === "dump" ? "x".repeat(9 * 1024 * 1024) : text;
      },
    });
  }

  const job = defineJob({
    name: "job",
    description: "Has one item of a run carried out.",
    input: INPUT,
    requestTimeoutMs: Infinity,
    start: (input, { idempotencyKey, signal }) => carryOut(input, idempotencyKey, signal),
  });

  const helper = new Agent({ name: "helper", model, tools: [tool("do_item")] });
  const skills = await loadSkills(fileURLToPath(new URL("../../../examples/skills", import.meta.url)), {
    reads: "trusted",
  });
  const found = [tool("refund", { effects: "once" }), tool("seal", { needsApproval: true })];
  const errand = new Agent({
    name: "errand",
    model,
    tools: [
      ...toolSearch(found, { budgetTokens: 0 }),
      skills.tool,
      tool("do_item", { effects: "idempotent" }),
      tool("pay", { effects: "once" }),
      tool("sign", { needsApproval: true }),
      tool("sign_soon", { needsApproval: true, answerTimeoutMs: SOON_MS }),
      job,
      tool("dump", { maxResultBytes: 64 * 1024 * 1024 }),
      helper.asTool({
        description: "Carries out a small plan.",
        ...(store !== undefined && { session: ({ idempotencyKey }) => helper.session({ id: idempotencyKey, store }) }),
      }),
    ],
  });
  return [errand, helper];
}
