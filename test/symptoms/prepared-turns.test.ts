import { Agent, googleSearch, type PrepareTurn } from "@pollux/core";
import { call, say } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { faces } from "../../packages/core/test/helpers/faces.ts";
import { byStep, TOOLS } from "../support/trip.ts";
import { watch } from "../support/watch.ts";
import { openWorld, refusals } from "../support/world.ts";

interface Body {
  readonly tools: readonly { readonly functionDeclarations?: readonly { readonly name: string }[] }[];
  readonly toolConfig?: { readonly functionCallingConfig?: unknown };
}

describe.each(faces)("%s", (face) => {
  test.each(["gemini-2.5-flash", "gemini-3.8-flash"])(
    "%s takes a subset of the tools by name, and the prefix stays",
    async (id) => {
      await using world = await openWorld({
        brain: byStep(
          () => call("add", { a: 1, b: 2 }),
          () => say("Three."),
        ),
      });
      const prepareTurn: PrepareTurn = ({ turn }) => ({
        tools: ["add"],
        settings: { thinking: turn === 1 ? "low" : "high" },
      });
      const seen = await watch(
        face,
        new Agent({ model: world.model(id), tools: TOOLS, hooks: { prepareTurn } }),
        "Add 1 and 2.",
      );
      expect(seen.result).toMatchObject({ stopReason: "finished", text: "Three." });
      expect(refusals(world.emulator)).toEqual([]);
      const [first = "", second = ""] = world.bodies;
      const end = first.indexOf('],"toolConfig"');
      expect(end).toBeGreaterThan(0);
      expect(second.startsWith(first.slice(0, end))).toBe(true);
      const { tools, toolConfig } = JSON.parse(world.bodies[0] ?? "") as Body;
      expect(tools[0]?.functionDeclarations).toHaveLength(TOOLS.length);
      expect(toolConfig?.functionCallingConfig).toEqual({ mode: "VALIDATED", allowedFunctionNames: ["add"] });
    },
  );

  test("a model that searches beside functions keeps both when only a function is chosen with the search", async () => {
    await using world = await openWorld({ brain: byStep(() => say("Hello.")) });
    const agent = new Agent({
      model: world.model("gemini-3.8-flash"),
      tools: [...TOOLS, googleSearch()],
      hooks: { prepareTurn: () => ({ tools: ["add", "googleSearch"] }) },
    });
    const seen = await watch(face, agent, "Hi.");
    expect(seen.result?.stopReason).toBe("finished");
    expect(refusals(world.emulator)).toEqual([]);
    expect((JSON.parse(world.bodies[0] ?? "") as Body).tools).toHaveLength(2);
  });
});
