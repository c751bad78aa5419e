import { Agent, type AnyTool, type JsonObject } from "@pollux/core";
import { call, say, ScriptedModel } from "@pollux/core/testing";

/** Lets a model call one tool. @returns The response that the model reads. */
export async function askTool(tools: readonly AnyTool[], name: string, args: JsonObject): Promise<unknown> {
  const agent = new Agent({ model: new ScriptedModel(call(name, args), say("Done.")), tools, approve: () => true });
  const { added } = await agent.run("Go.");
  const parts = added.flatMap((content) => content.parts);
  return parts.find((part) => part.functionResponse !== undefined)?.functionResponse?.response;
}
