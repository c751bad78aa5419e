import { Agent, type ToolContext, ToolError } from "@pollux/core";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { calculator, type CalculatorOptions } from "../src/calculator.ts";
import { processorTime } from "./helpers/processor-time.ts";

/** Calls the tool as the loop does. */
async function use(args: object, options: CalculatorOptions = {}, signal = new AbortController().signal) {
  const tool = calculator(options);
  // The tool reads nothing else of the context.
  return await tool.run(await tool.parse(args), { signal } as ToolContext);
}

async function failure(used: Promise<unknown>): Promise<string> {
  const error = await used.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ToolError);
  return (error as ToolError).message;
}

// Loads mathjs, so that the processor time below is that of calculations.
beforeAll(async () => void (await use({ expression: "sqrt(2) + sin(1)" })));

test("only reads, under a name that can be chosen", () => {
  expect([calculator().name, calculator({ name: "math" }).name, calculator().effects]).toEqual([
    "calculator",
    "math",
    "none",
  ]);
});

describe("what is exact stays exact", () => {
  test.each([
    ["0.1 + 0.2", "0.3"],
    ["12345678901234567890 * 98765432109876543210", "1219326311370217952237463801111263526900"],
    ["2^200", "1606938044258990275541962092341162602522202993782792835301376"],
    ["4^0.5 + 8^(-1)", "2.125"],
    ["sqrt(0.0625)", "0.25"],
    ["-2^2", "-4"],
    ["2^3^2", "512"],
    ["-7 % 3", "2"],
    ["200 + 10%", "220"],
    ["10% * 50", "5"],
    ["25!/23!", "600"],
    ["combinations(52, 5)", "2598960"],
    ["nPr(5, 2)", "20"],
    ["gcd(84, 36) + lcm(4, 6)", "24"],
    ["round(2.345, 2)", "2.35"],
    ["round(-2.5) + floor(-1.5) + ceil(1.2) + fix(-1.7)", "-4"],
    ["mean(1, 2, 6) + median([1, 9, 3, 5])", "7"],
    ["variance(1, 2, 3, 4, 5) + min(3, 1/2) + max(1, 2)", "5"],
    ["sum([0.1, 0.2, 0.3])", "0.6"],
    ["1e3 + 0x10", "1016"],
    ["a = 3; b = 4; sqrt(a^2 + b^2)", "5"],
    ["x = y = 2\nx * y", "4"],
    ["0.1 + 0.2 == 0.3", "true"],
    ["1/3 > 0.3333333333333333333333333333", "true"],
    ["5 inch to cm", "12.7 cm"],
    ["2 cm + 1 inch", "4.54 cm"],
    ["50 kg * m/s^2 to N", "50 N"],
    ["1 GB to MiB", "953.67431640625 MiB"],
    ["12 m / 4 m", "3"],
    ["mean(1 cm, 3 cm)", "2 cm"],
    ["cbrt(27) + nthRoot(16, 4) + hypot(3, 4)", "10"],
    ["sin(pi)", "0"],
    ["gcd(-84, 36)", "12"],
    ["2^100 % 97", "16"],
    ["(10 cm)^3 to l", "1 l"],
  ])("%j", async (expression, result) => {
    expect(await use({ expression })).toEqual({ result });
  });
});

describe("what is not exact is rounded, and says so", () => {
  test.each<[string, number | undefined, object]>([
    ["1/3", undefined, { result: "0.33333333333333333333333333333333", rounded: true }],
    ["-22/7", 5, { result: "-3.1429", rounded: true }],
    ["1/3 + 1/6", undefined, { result: "0.5", rounded: true }],
    ["(1 + 1/3) * 12.50 * 3", undefined, { result: "50", rounded: true }],
    ["20 degC to degF", undefined, { result: "68 degF", rounded: true }],
    ["sqrt(2)", 64, { result: "1.414213562373095048801688724209698078569671875376948073176679738", rounded: true }],
    ["sqrt(2)^2", undefined, { result: "2", rounded: true }],
    ["pi", 10, { result: "3.141592654", rounded: true }],
    ["sin(30 deg) + cos(0) + tan(0)", undefined, { result: "1.5", rounded: true }],
    ["ln(e^2) + log(8, 2) + log10(100)", undefined, { result: "7", rounded: true }],
    ["std(1, 2, 3, 4)", 6, { result: "1.29099", rounded: true }],
    ["e^100", 4, { result: "2.688e+43", rounded: true }],
    ["2^5000", 4, { result: "1.412e+1505", rounded: true }],
    ["100 km/h to m/s", 6, { result: "27.7778 m / s", rounded: true }],
  ])("%s", async (expression, digits, result) => {
    expect(await use({ expression, digits })).toEqual(result);
  });
});

describe("says in which step and why an expression is refused", () => {
  test.each([
    ["(1 + 2", "the expression cannot be read at character 7: Parenthesis ) expected"],
    ["1 +", "the expression cannot be read at character 4: Unexpected end of expression"],
    ["2 * (3 + foo)", '"foo" is not a known number, unit or variable'],
    ["1 + sqrt", '"sqrt" is a function: write sqrt(...)'],
    ["sqrt(1, 2)", "Too many arguments in function sqrt (expected: 1, actual: 2), in: sqrt(1, 2)"],
    ["5 + 1/0", "division by zero, in: 1 / 0"],
    ["sqrt(-1)", "has no real result, in: sqrt(-1)"],
    ["log(0)", "has no real result, in: log(0)"],
    ["2 cm + 3 kg", "Units do not match, in: 2 cm + 3 kg"],
    ["exp(1 cm)", "this takes numbers without units, or all of them with units, in: exp(1 cm)"],
    ["1 cm + 1", "this takes numbers without units, or all of them with units, in: 1 cm + 1"],
    ["2^300 % 7", "takes numbers with fewer than 80 digits, in: 2 ^ 300 % 7"],
    ["combinations(-1, 2)", "needs numbers that are not negative, in: combinations(-1, 2)"],
    ["1 kg to 2 g", '"to" takes a number with a unit and then a unit alone, as in 5 inch to cm, in: 1 kg to 2 g'],
    ["(1 < 2) + 1", "a comparison is not a number, in: (1 < 2) + 1"],
    ["gcd(1.5, 2)", "needs integers, in: gcd(1.5, 2)"],
    ["# nothing", "the expression is empty"],
  ])("%s", async (expression, message) => {
    expect(await failure(use({ expression }))).toBe(message);
  });

  test("a long or an empty one", async () => {
    await expect(use({ expression: "1+".repeat(600) })).rejects.toThrow(/expression/);
    await expect(use({ expression: "1+1" }, { maxCharacters: 2 })).rejects.toThrow(/expression/);
    await expect(use({ expression: "  " })).rejects.toThrow(/expression/);
  });

  test("an aborted one", async () => {
    const reason = new Error("stop");
    await expect(use({ expression: "1" }, {}, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

/** Processor time of one multiplication of the largest numbers, which have 10,000 digits. */
async function timeOfMultiplication(): Promise<number> {
  const largest = 10n ** 10_000n - 3n;
  const time = await processorTime(() => {
    let odd = 0n;
    // Each needs the one before, or the compiler would make one of all.
    for (let count = 0; count < 500; count++) odd |= (largest * (largest - odd)) & 1n;
    expect(odd).toBe(1n);
  });
  return time / 500;
}

describe("hostile expressions", () => {
  let multiplication: number;
  beforeAll(async () => {
    multiplication = await timeOfMultiplication();
  });

  const cannot = /cannot be used here|not a function here|is not a known number|cannot be read|only numbers/;
  test.each([
    "cos.constructor",
    'cos.constructor("return process")()',
    '"".constructor',
    "[].constructor",
    "pi.constructor",
    "{}",
    "{a: 1}.a",
    "[1, 2][1]",
    "f(x) = x; f(1)",
    "f(x) = f(x + 1); f(1)",
    "a.b = 3",
    "import({})",
    'evaluate("1")',
    'parse("1")',
    'simplify("1")',
    'createUnit("foo")',
    "config({})",
    "toString()",
    "__proto__",
    "constructor",
    "constructor(1)",
    "hasOwnProperty(1)",
    "1:1e9",
    "ones(10000, 10000)",
    "range(0, 1e9)",
    "[1, 2; 3, 4] * 2",
    "true ? 1 : 2",
    "1 << 1000000000",
    "~1",
    "end",
    "random()",
  ])("%s is refused", async (expression) => {
    expect(await failure(use({ expression }))).toMatch(cannot);
  });

  const tooLarge = /more than 10,000 digits|integer from [01] to|too large|nested too deeply|powers up to/;
  test.each([
    "9^9^9",
    "9^9^9^9",
    "9^-9^9^9",
    "(1/3)^(9^9^9)",
    "1.0000001^1e15",
    "1e999999999",
    "1e-9000 * 1e-9000",
    "1000000!",
    "3!!!!",
    "combinations(1e9, 5e8)",
    "permutations(1e12, 3000)",
    "exp(1e9)",
    "exp(exp(exp(10)))",
    "sin(1e300)",
    "sinh(1e9)",
    "round(1/3, 1e9)",
    "nthRoot(2, 1e9)",
    "(2 m)^1e9",
    `a = 9^9; ${"a = a * a; ".repeat(60)}a`,
  ])("%s is refused for less than 5,000 multiplications", async (expression) => {
    let refusal = "";
    const worked = await processorTime(async () => (refusal = await failure(use({ expression }))));
    expect(refusal).toMatch(tooLarge);
    expect(worked).toBeLessThan(5_000 * multiplication);
  });

  test.each([
    "(".repeat(480) + "1" + ")".repeat(480),
    "-".repeat(990) + "1",
    `a = 1/(3^1000 + 1); ${"a = a + 1/(a + 7); ".repeat(40)}a`,
    `${"3000! * ".repeat(100)}1`,
    `a = 2^33000 - 1; b = 3^20800 - 1; ${"a/b + b/a + ".repeat(70)}1`,
    `a = 2^15000 - 1; b = 3^9000; ${"gcd(a, b) + ".repeat(70)}1`,
    `${"sin(1e14) + ".repeat(80)}1`,
    `${"2^0.1234567 + ".repeat(60)}1`,
    `1${"0".repeat(998)}`,
  ])("%s ends after less than 10,000 multiplications, whatever comes out", async (expression) => {
    const worked = await processorTime(async () => {
      await use({ expression }).catch((error: unknown) => expect(error).toBeInstanceOf(ToolError));
    });
    expect(worked).toBeLessThan(10_000 * multiplication);
  });
});

test("an agent can use it", async () => {
  const model = new ScriptedModel(
    call("calculator", { expression: "19.99 * 3 * (1 + 25%)" }),
    call("calculator", { expression: "19.99 *" }),
    say("74.9625"),
  );
  const result = await new Agent({ model, tools: [calculator()] }).run("What do three cost?");
  expect(result.text).toBe("74.9625");
  const answers = model.requests
    .at(-1)
    ?.contents.flatMap(({ parts }) =>
      parts.flatMap(({ functionResponse }) => (functionResponse === undefined ? [] : [functionResponse.response])),
    );
  expect(answers).toEqual([
    { output: { result: "74.9625" } },
    { error: "the expression cannot be read at character 8: Unexpected end of expression" },
  ]);
});
