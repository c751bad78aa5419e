import { type AnyTool, defineTool, media, ToolError } from "@pollux/core";
import { inferCapabilities } from "@pollux/core/model";
import type { RecordedLoop } from "./loops.ts";
import { isJson, type Json, listOf } from "./recordings.ts";
import { declarationsOf, isErrorText, resultIn, toolsOf } from "./wire-forms.ts";

/** The functions that any request of the run declares, by name. */
export function declarationsIn({ exchanges }: RecordedLoop): ReadonlyMap<string, Json> {
  const all = exchanges.flatMap(({ request }) => declarationsOf(request ?? {}));
  return new Map(all.map((declaration) => [String(declaration["name"]), declaration]));
}

/** The declared functions, each of which returns its recorded results. */
export function functionsOf(recorded: RecordedLoop): readonly AnyTool[] {
  const { steps } = recorded;
  return [...declarationsIn(recorded)].map(([name, { description, parametersJsonSchema, parameters }]) =>
    defineTool({
      name,
      // The service accepts functions without a description; Pollux requires one.
      description: typeof description === "string" && description.trim() !== "" ? description : "(none)",
      input: (parametersJsonSchema ?? parameters ?? { type: "object", properties: {} }) as Json,
      // The recorded answer includes the client's handling of invalid arguments.
      validate: false,
      timeoutMs: Number.POSITIVE_INFINITY,
      maxResultBytes: Number.POSITIVE_INFINITY,
      run: (_input, { callId }) => {
        const [turn = 0, position = 0] = callId.slice("call:".length).split(".").map(Number);
        return resultOf(steps[turn - 1]?.responses[position]);
      },
    }),
  );
}

/** The function's result, with the files of its response. */
function resultOf(recorded: Json | undefined): unknown {
  if (recorded === undefined) return null;
  const { response, parts } = recorded;
  if (isJson(response) && isErrorText(response)) throw new ToolError(String(response["error"]));
  const files = listOf(parts).map((part) => {
    const { inlineData, fileData } = part as { readonly inlineData?: Json; readonly fileData?: Json };
    const file = inlineData ?? fileData ?? {};
    const data = fileData === undefined ? String(file["data"]) : new URL(String(file["fileUri"]));
    return media(data, String(file["mimeType"]));
  });
  return files.length === 0 ? resultIn(response) : { result: resultIn(response), files };
}

/** Built-in tools, if the model accepts them beside functions. */
export function builtInsOf({ exchanges }: RecordedLoop, model: string): readonly AnyTool[] {
  if (!inferCapabilities(model).builtInsWithFunctions) return [];
  return toolsOf(exchanges[0]?.request ?? {}).flatMap((tool) =>
    Object.entries(tool)
      .filter(([name]) => name !== "functionDeclarations")
      .map(([name, options]) => ({ kind: "built-in", name, wire: { [name]: options } }) as AnyTool),
  );
}
