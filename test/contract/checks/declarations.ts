import { defineTool } from "@pollux/core";
import type { Check } from "../check.ts";
import { isAnswered, type Json } from "../recordings.ts";
import { declarationsOf } from "../wire-forms.ts";

/** Tools must accept every schema that the service accepts. */
export const declarations: Check = {
  id: "declarations",
  claim: "each function declaration that the service accepted can be a tool",
  compares: "each accepted function declaration, as a tool",
  against: "the names of its properties",
  async run({ file, exchanges }, tally): Promise<void> {
    for (const [index, exchange] of exchanges.entries()) {
      if (exchange.request === null || !isAnswered(exchange)) continue;
      for (const declaration of declarationsOf(exchange.request)) tally.compare(file, index, refusal(declaration));
    }
  },
};

function refusal({ name, description, parametersJsonSchema, parameters }: Json): string | undefined {
  const schema = (parametersJsonSchema ?? parameters) as Json | undefined;
  // The service accepts functions without a description; Pollux requires one, which has nothing to do with schemas.
  const described = typeof description === "string" && description.trim() !== "" ? description : "(none)";
  const spec = { name: String(name), description: described, run: () => null };
  try {
    const tool = schema === undefined ? defineTool(spec) : defineTool({ ...spec, input: schema });
    const sent = tool.declaration.parametersJsonSchema;
    const lost = Object.keys((schema?.["properties"] as Json | undefined) ?? {}).filter(
      (key) => !(key in ((sent?.["properties"] as Json) ?? {})),
    );
    return lost.length > 0 ? `${String(name)}: the declaration lost ${lost.join(", ")}` : undefined;
  } catch (error) {
    return `${String(name)}: ${String(error)}`;
  }
}
