import { defineTool, type Tool, ToolError } from "@pollux/core";
import { z } from "zod/v4";
import { loadForCall } from "../optional-packages.ts";
import type { Engine } from "./engine.ts";
import { evaluate } from "./evaluate.ts";
import { Problem } from "./problem.ts";
import { show } from "./show.ts";

/** Options of {@link calculator}. */
export interface CalculatorOptions {
  /** @defaultValue "calculator" */
  readonly name?: string | undefined;
  /** Longest expression, in characters. @defaultValue 1_000 */
  readonly maxCharacters?: number | undefined;
}

/** The model's input. */
export interface CalculatorInput {
  readonly expression: string;
  readonly digits?: number | undefined;
}

/** The result of a calculation. */
export interface CalculatorResult {
  /** A number in decimal notation, with its unit if it has one; or `true` or `false` for a comparison. */
  readonly result: string;
  /** The exact value, such as `1/3`, if the decimal digits never end. */
  readonly fraction?: string | undefined;
  /** Present if `result` is not exact. */
  readonly rounded?: true | undefined;
}

/** Significant digits of each inexact step: more than are ever shown, so that rounding errors don't show. */
const PRECISION = 80;

/**
 * `calculator`: exact arithmetic, decimals of up to 64 digits, and units. mathjs parses the expressions; a fixed list of
 * functions evaluates them, and nothing else can be reached. Whole numbers and fractions stay exact.
 *
 * @example
 * ```ts
 * const agent = new Agent({ model: "gemini-flash-latest", tools: [calculator()] });
 * const { text } = await agent.run("What is 17 * 23?");
 * ```
 */
export function calculator(options: CalculatorOptions = {}): Tool<CalculatorInput, CalculatorResult> {
  const { name = "calculator", maxCharacters = 1_000 } = options;
  let engine: Promise<Engine> | undefined;
  return defineTool({
    name,
    description:
      "Evaluates an expression exactly: + - * / ^ % !, parentheses, comparisons, roots, logarithms, trigonometry in radians (or 30 deg), statistics such as mean(1, 2, 3), constants pi and e, units (5 inch to cm, 20 degC to degF), and variables (a = 3; a^2). Use it for every calculation where the result matters.",
    input: z.object({
      expression: z
        .string()
        .trim()
        .min(1)
        .max(maxCharacters)
        .describe("For example (1 + 1/3) * 12.50 or 90 km/h to m/s"),
      digits: z.int().min(1).max(64).optional().describe("Significant digits of an inexact result (default 32)"),
    }),
    effects: "none",
    reads: "trusted",
    run: async ({ expression, digits = 32 }, { signal }): Promise<CalculatorResult> => {
      engine ??= loadForCall({ user: name, packages: ["mathjs"] }, () => import("./engine.ts")).then(
        ({ createEngine }) => createEngine(PRECISION),
      );
      const loaded = await engine;

      signal.throwIfAborted();
      try {
        return show(evaluate(expression, loaded), digits, loaded);
      } catch (error) {
        if (error instanceof Problem) throw new ToolError(error.message, { cause: error });
        if (error instanceof RangeError)
          throw new ToolError("the expression is too large; calculate it in smaller steps", { cause: error });
        throw error;
      }
    },
  });
}
