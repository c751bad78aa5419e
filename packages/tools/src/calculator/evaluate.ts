import type { BigNumber } from "mathjs";
import { DECIMAL } from "./decimal.ts";
import type { Engine } from "./engine.ts";
import { EXACT, rationals } from "./exact.ts";
import { bigOf, checkBig, constantOf, isRational, type Value } from "./numbers.ts";
import { at, Problem } from "./problem.ts";
import { calculateWithUnits } from "./with-units.ts";

/** The parts of mathjs's nodes that are read. Only the kinds listed below are evaluated, by this package's own functions. */
interface Node {
  readonly type: string;
  readonly value?: unknown;
  readonly name?: string | undefined;
  readonly op?: string | undefined;
  readonly fn?: string | Node | undefined;
  readonly args?: readonly Node[] | undefined;
  readonly items?: readonly Node[] | undefined;
  readonly content?: Node | undefined;
  readonly object?: Node | undefined;
  readonly index?: unknown;
  readonly blocks?: readonly { readonly node: Node }[] | undefined;
  toString(): string;
}

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

/** Functions that take a bracketed list as well as separate arguments. */
const OF_LISTS: ReadonlySet<string> = new Set(["sum", "mean", "median", "min", "max", "variance", "std", "gcd", "lcm"]);

/** The sign by which to name a kind of node that is not evaluated. */
const SIGNS: { readonly [type: string]: string } = {
  AccessorNode: ".",
  IndexNode: "[",
  ArrayNode: "[",
  ObjectNode: "{",
  RangeNode: ":",
  FunctionAssignmentNode: "=",
  ConditionalNode: "?",
};

/** Names of the functions that an expression can use. */
export const FUNCTION_NAMES: readonly string[] = [...new Set([...EXACT.keys(), ...DECIMAL.keys()])]
  .filter((name) => !/^(?:add|subtract|multiply|divide|unary\w+|larger\w*|smaller\w*|equal|unequal)$/.test(name))
  .toSorted();

/**
 * Evaluates an expression, or several separated by `;` or a new line, and returns the last value.
 *
 * @throws {Problem} If it can't be parsed or evaluated.
 */
export function evaluate(expression: string, engine: Engine): Value {
  let node: Node;
  try {
    // The nodes are checked below, kind by kind.
    node = engine.parse(expression) as Node;
  } catch (error) {
    if (error instanceof RangeError) throw new Problem("the expression is nested too deeply", { cause: error });
    const message = error instanceof Error ? error.message : String(error);
    const place = typeof error === "object" && error !== null && "char" in error ? Number(error.char) : undefined;
    const where = place === undefined ? "" : ` at character ${Math.min(place, expression.length + 1)}`;
    throw new Problem(`the expression cannot be read${where}: ${message.replace(/ \(char \d+\)$/, "")}`, {
      cause: error,
    });
  }
  return new Evaluation(expression, engine).block(node);
}

class Evaluation {
  readonly #expression: string;
  readonly #engine: Engine;
  readonly #variables = new Map<string, Value>();

  constructor(expression: string, engine: Engine) {
    this.#expression = expression;
    this.#engine = engine;
  }

  block(node: Node): Value {
    if (node.type !== "BlockNode") return this.#statement(node);
    const values = (node.blocks ?? []).map((one) => this.#statement(one.node));
    const last = values.at(-1);
    if (last === undefined) throw new Problem("the expression is empty");
    return last;
  }

  #statement(node: Node): Value {
    const name = node.type === "AssignmentNode" && !node.index ? node.object?.name : undefined;
    if (name === undefined) return this.#value(node);
    // Assignments nest: `a = b = 3`.
    const value = this.#statement(node.value as Node);
    this.#variables.set(name, value);
    return value;
  }

  #value(node: Node): Value {
    switch (node.type) {
      case "ConstantNode":
        if (this.#engine.isBig(node.value)) return constantOf(node.value, this.#engine);
        // The 100 of a percentage, inserted by the parser.
        if (typeof node.value === "number") return constantOf(this.#engine.big(String(node.value)), this.#engine);
        throw new Problem(node.value === undefined ? "the expression is empty" : "only numbers can be calculated with");
      case "ParenthesisNode":
        return this.#value(node.content ?? node);
      case "SymbolNode":
        return this.#symbol(node.name ?? "");
      case "OperatorNode":
        return this.#call(String(node.fn), node, node.op ?? "");
      case "FunctionNode": {
        const name = typeof node.fn === "object" && node.fn.type === "SymbolNode" ? (node.fn.name ?? "") : undefined;
        if (name === undefined) throw this.#unsupported(".");
        return this.#call(ALIASES.get(name) ?? name, node, name);
      }
      default:
        throw this.#unsupported(SIGNS[node.type] ?? node.op ?? "");
    }
  }

  #symbol(name: string): Value {
    const known = this.#variables.get(name) ?? this.#engine.constant(name) ?? this.#engine.unit(name);
    if (known !== undefined) return known;
    const isFunction = FUNCTION_NAMES.includes(name) || ALIASES.has(name);
    throw new Problem(
      isFunction
        ? `"${name}"${at(this.#expression, name)} is a function: write ${name}(...)`
        : `"${name.slice(0, 40)}"${at(this.#expression, name)} is not a known number, unit or variable`,
    );
  }

  #call(name: string, node: Node, shown: string): Value {
    const [exact, decimal] = [EXACT.get(name), DECIMAL.get(name)];
    const rule = exact ?? decimal;
    if (name !== "to" && rule === undefined) throw this.#unknown(node, shown);
    const given = node.args ?? [];
    const isList = OF_LISTS.has(name) && given.length === 1 && given[0]?.type === "ArrayNode";
    const args = (isList ? (given[0]?.items ?? []) : given).map((one) => this.#value(one));
    if (rule !== undefined && (args.length < rule.least || args.length > rule.most)) {
      const range = rule.least === rule.most ? String(rule.least) : `${rule.least} to ${rule.most}`;
      throw new Problem(`"${shown}"${at(this.#expression, shown)} takes ${range} numbers and got ${args.length}`);
    }
    try {
      return this.#apply(name, args);
    } catch (error) {
      if (error instanceof Problem && error.message.includes(" in: ")) throw error;
      throw new Problem(`${reasonOf(error)}, in: ${part(node)}${at(this.#expression, shown)}`, { cause: error });
    }
  }

  #apply(name: string, args: readonly Value[]): Value {
    const engine = this.#engine;
    if (args.some((one) => typeof one === "boolean")) throw new Problem("a comparison is not a number");
    if (name === "to" || args.some((one) => engine.isUnit(one))) return calculateWithUnits(name, args, engine);
    const numbers = rationals(args);
    const exact = numbers && EXACT.get(name)?.exact(numbers, engine);
    if (exact !== undefined) return exact;
    const decimal = DECIMAL.get(name);
    if (decimal === undefined) throw new Problem("this takes numbers that are known exactly, not roots or the like");
    // Booleans and units have been handled above.
    const bigs = args.map((one) => bigOf(one as BigNumber, engine));
    const result = decimal.apply(bigs, engine);
    return typeof result === "boolean" || isRational(result) ? result : checkBig(result);
  }

  #unknown(node: Node, shown: string): Problem {
    if (node.type === "OperatorNode") return this.#unsupported(shown);
    return new Problem(
      `"${shown.slice(0, 40)}"${at(this.#expression, shown)} is not a function here; the functions are ${FUNCTION_NAMES.join(", ")}`,
    );
  }

  #unsupported(sign: string): Problem {
    return new Problem(
      `"${sign}"${at(this.#expression, sign)} cannot be used here; use numbers, + - * / ^ % !, brackets, units, variables (a = 3; a * 2) and functions`,
    );
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Enough of a step to recognize it. */
function part(node: Node): string {
  const text = node.toString();
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
