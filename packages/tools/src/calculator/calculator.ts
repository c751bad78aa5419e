import { defineTool, type Tool, ToolError } from "@pollux/core";
import { z } from "zod/v4";
import { loadForCall } from "../optional-packages.ts";
import type * as Evaluation from "./evaluate.ts";

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
  /** Present if a step was rounded, so that `result` may not be exact. */
  readonly rounded?: true | undefined;
}

/** An exact result with more digits is rounded. */
const MAX_DIGITS = 64;

/**
 * `calculator`: exact decimals of up to 64 digits, and units. mathjs parses and calculates; expressions reach only a fixed list of its
 * functions, and only with numbers that take little time.
 *
 * @example
 * ```ts
 * const agent = new Agent({ model: "gemini-flash-latest", tools: [calculator()] });
 * const { text } = await agent.run("What is 17 * 23?");
 * ```
 */
export function calculator(options: CalculatorOptions = {}): Tool<CalculatorInput, CalculatorResult> {
  const { name = "calculator", maxCharacters = 1_000 } = options;
  return defineTool({
    name,
    description:
      "Evaluates an expression, exactly where decimals allow: + - * / ^ % !, parentheses, comparisons, roots, logarithms, trigonometry in radians (or 30 deg), statistics such as mean(1, 2, 3), constants pi and e, units (5 inch to cm, 20 degC to degF), and variables (a = 3; a^2). Use it for every calculation where the result matters.",
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
      const loaded = await loadForCall({ user: name, packages: ["mathjs"] }, () => import("./evaluate.ts"));
      signal.throwIfAborted();
      try {
        return show(loaded.evaluate(expression), digits, loaded.isUnit);
      } catch (error) {
        if (error instanceof loaded.Problem) throw new ToolError(error.message, { cause: error });
        if (error instanceof RangeError)
          throw new ToolError("the expression is too large; calculate it in smaller steps", { cause: error });
        throw error;
      }
    },
  });
}

function show(
  { value, isRounded }: Evaluation.Evaluated,
  digits: number,
  isUnit: typeof Evaluation.isUnit,
): CalculatorResult {
  if (typeof value === "boolean") return { result: String(value) };
  if (isUnit(value)) {
    const result = value.format({ precision: isRounded ? digits : MAX_DIGITS, lowerExp: -12, upperExp: 24 });
    return { result, ...(isRounded && { rounded: true }) };
  }
  const isCut = isRounded || value.precision() > MAX_DIGITS;
  const shown = isCut ? value.toSignificantDigits(digits) : value;
  const result = shown.e > (isCut ? 40 : MAX_DIGITS) || shown.e < -20 ? shown.toExponential() : shown.toFixed();
  return { result, ...(isCut && { rounded: true }) };
}
