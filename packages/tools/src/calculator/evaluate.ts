import { all, type BigNumber, create, type FactoryFunctionMap, type MathNode, type Unit } from "mathjs";

/** What is wrong with an expression, in words for the model. */
export class Problem extends Error {
  override readonly name = "Problem";
}

/** A number, one with a unit, or the result of a comparison. */
type Value = BigNumber | Unit | boolean;

/** A value, and whether a step on the way to it was rounded. */
export interface Evaluated {
  readonly value: Value;
  readonly isRounded: boolean;
}

/** Significant digits of each step: more than are ever shown, so that rounding errors don't show. */
const PRECISION = 80;
/** Most digits of a number before or after the decimal point. */
const MAX_EXPONENT = 10_000;
/** Most factors of a factorial, combination or permutation. */
const MAX_FACTORS = 3_200;
/** Larger angles have lost their significant digits. */
const MAX_ANGLE = 1e15;

const tolerance = 10 ** (5 - PRECISION);
const math = create(
  // This build has all factories; the types allow for smaller builds.
  all as FactoryFunctionMap,
  { number: "BigNumber", precision: PRECISION, predictable: true, relTol: tolerance, absTol: tolerance },
);
// Which members are called is decided by `FUNCTIONS`, never by an expression.
const members = math as unknown as { readonly [name: string]: (...args: readonly unknown[]) => unknown };

const CONSTANTS: ReadonlySet<string> = new Set(["pi", "e", "tau", "phi"]);

/** Refuses numbers that would take too long or have no result. */
type Check = (args: readonly BigNumber[]) => void;

/** The functions and operators of mathjs that an expression can reach, each with the check of its arguments. */
const FUNCTIONS: ReadonlyMap<string, Check | undefined> = new Map<string, Check | undefined>([
  ...named("add subtract multiply pow unaryMinus unaryPlus larger largerEq smaller smallerEq equal unequal to"),
  ...named("divide", checkDivisor),
  ...named("mod", (args) => {
    checkDivisor(args);
    checkExact(args);
  }),
  ...named("abs sign floor ceil fix sqrt cbrt asin acos atan atan2 sum mean median min max hypot variance std"),
  ...named("sin cos tan", ([angle]) => {
    if (angle?.abs().gt(MAX_ANGLE) === true) throw new Problem("the angle is too large; take it modulo 2 pi first");
  }),
  ...named("exp sinh cosh tanh", ([value]) => {
    if (value?.abs().gt(MAX_EXPONENT * Math.LN10) === true) throw tooLong();
  }),
  ...named("log log10 log2", (args) => {
    if (args.some((one) => one.lte(0))) throw new Problem("has no real result");
  }),
  ...named("nthRoot", ([, root]) => checkWhole("the root", root, 1, 1_000)),
  ...named("round", ([, places]) => places && checkWhole("the number of decimals", places, 0, 1_000)),
  ...named("gcd lcm", checkIntegers),
  ...named("factorial", ([n]) => checkWhole("its number", n, 0, MAX_FACTORS)),
  ...named("combinations permutations", ([n, k, ...more]) => {
    if (n === undefined || k === undefined || more.length > 0) throw new Problem("takes 2 numbers");
    checkIntegers([n]);
    if (n.isNegative()) throw new Problem("needs numbers that are not negative");
    checkWhole("the second number", k, 0, MAX_FACTORS);
  }),
]);

/** Common names for functions that mathjs calls something else. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ["ln", "log"],
  ["average", "mean"],
  ["avg", "mean"],
  ["nCr", "combinations"],
  ["nPr", "permutations"],
  ["ceiling", "ceil"],
  ["trunc", "fix"],
]);

/** Replacements for functions in which mathjs takes a step for each number below the larger one. */
const OWN: { readonly [name: string]: ((n: BigNumber, k: BigNumber) => BigNumber) | undefined } = {
  permutations: product,
  combinations: (n, k) => product(n, k).div(product(k, k)),
};

/**
 * Evaluates an expression, or several separated by `;` or a new line, and returns the last value.
 *
 * @throws {Problem} If it can't be parsed or evaluated.
 */
export function evaluate(expression: string): Evaluated {
  let node: MathNode;
  try {
    node = math.parse(expression);
  } catch (error) {
    if (error instanceof RangeError) throw new Problem("the expression is nested too deeply", { cause: error });
    const place = typeof error === "object" && error !== null && "char" in error ? Number(error.char) : undefined;
    const where = place === undefined ? "" : ` at character ${Math.min(place, expression.length + 1)}`;
    throw new Problem(`the expression cannot be read${where}: ${messageOf(error).replace(/ \(char \d+\)$/, "")}`, {
      cause: error,
    });
  }
  const variables = new Map<string, Value>();
  let isRounded = false;

  /** Checks a value, and notes whether it was rounded. */
  function noted(result: unknown): Value {
    if (typeof result === "boolean") return result;
    // mathjs's types hide the number of a unit; a unit alone has none.
    const number = math.isUnit(result) ? (result as unknown as { readonly value: unknown }).value : result;
    if (math.isBigNumber(number)) {
      if (number.isNaN()) throw new Problem("has no real result");
      if (!number.isFinite() || Math.abs(number.e) > MAX_EXPONENT) throw tooLong();
      isRounded ||= number.precision() >= PRECISION;
    } else if (!math.isUnit(result)) throw new Problem("has no real result");
    return result as Value;
  }

  function valueOf(one: MathNode): Value {
    if (math.isParenthesisNode(one)) return valueOf(one.content);
    if (math.isSymbolNode(one)) return variables.get(one.name) ?? noted(symbol(one.name));
    if (math.isOperatorNode(one) && FUNCTIONS.has(one.fn)) return call(one, one.fn, one.args);
    if (math.isConstantNode(one)) {
      const { value }: { readonly value: unknown } = one;
      // The parser inserts the 100 of a percentage as a JavaScript number.
      if (math.isBigNumber(value) || typeof value === "number") return noted(math.bignumber(value));
      throw new Problem(value === undefined ? "the expression is empty" : "only numbers can be used in calculations");
    }
    // Assignments nest: `a = b = 3`.
    if (math.isAssignmentNode(one) && math.isSymbolNode(one.object) && one.index === null) {
      const value = valueOf(one.value);
      variables.set(one.object.name, value);
      return value;
    }
    if (math.isFunctionNode(one) && math.isSymbolNode(one.fn)) {
      const name = ALIASES.get(one.fn.name) ?? one.fn.name;
      const known = [...FUNCTIONS.keys()].join(", ");
      if (!FUNCTIONS.has(name))
        throw new Problem(`"${shorten(one.fn.name)}" is not a function here; the functions are ${known}`);
      const [list] = one.args;
      const args = one.args.length === 1 && math.isArrayNode(list) ? list.items : one.args;
      return call(one, name, args);
    }
    throw new Problem(
      `"${shorten(one.toString())}" cannot be used here; use numbers, + - * / ^ % !, brackets, units, variables (a = 3; a * 2) and functions`,
    );
  }

  function call(step: MathNode, name: string, nodes: readonly MathNode[]): Value {
    const args = nodes.map(valueOf);
    try {
      return noted(apply(name, args));
    } catch (error) {
      throw new Problem(`${reasonOf(error, name, args)}, in: ${shorten(step.toString())}`, { cause: error });
    }
  }

  const statements = math.isBlockNode(node) ? node.blocks.map((one) => one.node) : [node];
  const value = statements.map(valueOf).at(-1);
  if (value === undefined) throw new Problem("the expression is empty");
  return { value, isRounded };
}

export function isUnit(value: Value): value is Unit {
  return math.isUnit(value);
}

function symbol(name: string): unknown {
  if (CONSTANTS.has(name)) return members[name];
  try {
    const unit = math.unit(name);
    if (unit.units.length === 1) return unit;
  } catch {
    // No unit has this name.
  }
  const isFunction = FUNCTIONS.has(name) || ALIASES.has(name);
  throw new Problem(
    isFunction
      ? `"${name}" is a function: write ${name}(...)`
      : `"${shorten(name)}" is not a known number, unit or variable`,
  );
}

function apply(name: string, args: readonly Value[]): unknown {
  if (args.some((one) => typeof one === "boolean")) throw new Problem("a comparison is not a number");
  const numbers = args.filter((one) => math.isBigNumber(one));
  if (numbers.length === args.length) FUNCTIONS.get(name)?.(numbers);
  const [n, k] = numbers;
  const result = n && k && OWN[name] ? OWN[name](n, k) : members[name]?.(...args);
  // Removes the residue that rounding `pi` leaves where the result is zero.
  return math.isBigNumber(result) && /^(?:sin|cos|tan)$/.test(name) ? result.toDecimalPlaces(PRECISION - 10) : result;
}

/** Why a step failed, in words for the model. */
function reasonOf(error: unknown, name: string, args: readonly Value[]): string {
  const message = messageOf(error);
  if (error instanceof Problem) return message;
  if (name === "to") return '"to" takes a number with a unit and then a unit alone, as in 5 inch to cm';
  const isMixed = args.some(isUnit) && /^Unexpected type|^Too few/.test(message);
  return isMixed ? "this takes numbers without units, or all of them with units" : message;
}

function checkDivisor([, by]: readonly BigNumber[]): void {
  if (by?.isZero() === true) throw new Problem("division by zero");
}

function checkIntegers(args: readonly BigNumber[]): void {
  if (!args.every((one) => one.isInteger())) throw new Problem("needs integers");
  checkExact(args);
}

/** A rounded number has lost the digits that these functions depend on. */
function checkExact(args: readonly BigNumber[]): void {
  if (args.some((one) => one.precision() >= PRECISION || Math.abs(one.e) >= PRECISION))
    throw new Problem(`takes numbers with fewer than ${PRECISION} digits`);
}

function checkWhole(what: string, value: BigNumber | undefined, least: number, most: number): void {
  if (value?.isInteger() === true && value.gte(least) && value.lte(most)) return;
  throw new Problem(`needs ${what} to be an integer from ${least} to ${most.toLocaleString("en")}`);
}

/** `n · (n − 1) · …`, with `k` factors. */
function product(n: BigNumber, k: BigNumber): BigNumber {
  let result = math.bignumber(1);
  for (let index = 0; k.gt(index); index++) result = result.times(n.minus(index));
  return result;
}

function named(names: string, check?: Check): [string, Check | undefined][] {
  return names.split(" ").map((name) => [name, check]);
}

function tooLong(): Problem {
  return new Problem(`gives a number with more than ${MAX_EXPONENT.toLocaleString("en")} digits`);
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
