import type { ModelRequest, ModelResponse, Part, RespondOptions } from "@pollux/core";
import { ScriptedModel } from "@pollux/core/testing";

/** A scripted model that says each piece only when it is let. */
export class GatedModel extends ScriptedModel {
  /** Called before each piece, with how many were said in this answer. */
  gate: (said: number) => Promise<void> = async () => {};

  override async *respond(
    request: ModelRequest,
    options: RespondOptions,
  ): AsyncGenerator<readonly Part[], ModelResponse, void> {
    const answer = super.respond(request, options);
    for (let said = 0; ; said++) {
      const next = await answer.next();
      if (next.done === true) return next.value;
      await this.gate(said);
      yield next.value;
    }
  }
}
