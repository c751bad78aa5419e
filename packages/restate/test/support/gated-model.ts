import type { ModelRequest, ModelResponse, RespondOptions } from "@pollux/core/model";
import { ScriptedModel } from "@pollux/core/testing";

/** A scripted model that says each piece only when it is let. */
export class GatedModel extends ScriptedModel {
  /** Called before each piece, with how many were said in this answer. */
  gate: (said: number) => Promise<void> = async () => {};

  override respond(request: ModelRequest, options: RespondOptions): Promise<ModelResponse> {
    let said = 0;
    return super.respond(request, {
      ...options,
      onParts: async (parts) => {
        await this.gate(said++);
        await options.onParts?.(parts);
      },
    });
  }
}
