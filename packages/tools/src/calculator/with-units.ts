import type { Unit } from "mathjs";
import type { Engine } from "./engine.ts";
import { bigOf, checkBig, isRational, type Value } from "./numbers.ts";
import { Problem } from "./problem.ts";

/** Operations that take units, by mathjs's names. */
const WITH_UNITS: ReadonlySet<string> = new Set([
  "to",
  "add",
  "subtract",
  "multiply",
  "divide",
  "pow",
  "unaryMinus",
  "abs",
  "sqrt",
  "sin",
  "cos",
  "tan",
]);

/** Higher powers of units are meaningless. */
const MAX_POWER = 20;

/**
 * Calculates with units.
 *
 * @throws {Problem} If the units don't match.
 */
export function calculateWithUnits(name: string, args: readonly Value[], engine: Engine): Value {
  if (!WITH_UNITS.has(name)) throw new Problem("this takes numbers without units");
  if (name === "to" && !args.every((one) => engine.isUnit(one)))
    throw new Problem('"to" takes a number with a unit and then a unit, as in 5 inch to cm');
  const exponent = args[1];
  if (
    name === "pow" &&
    (exponent === undefined || !isRational(exponent) || bigOf(exponent, engine).abs().gt(MAX_POWER))
  )
    throw new Problem(`a unit takes powers up to ${MAX_POWER}`);
  // Booleans have been handled before; everything else is a number or a unit.
  const operands = args.map((one) => (isRational(one) ? bigOf(one, engine) : one));
  const result = engine.call(name, name === "to" ? [operands[0], bare(operands[1] as Unit, engine)] : operands);
  if (engine.isBig(result)) return checkBig(result);
  if (!engine.isUnit(result)) throw new Problem("has no real result");
  const { value } = result as unknown as { readonly value: unknown };
  if (engine.isBig(value)) checkBig(value);
  return result;
}

/** The unit alone: `to` takes it without a number. */
function bare(unit: Unit, engine: Engine): Unit {
  if (!isOne(unit, engine)) throw new Problem('"to" must be followed by a unit alone, as in 5 inch to cm');
  // A unit without a value, which mathjs's types don't include.
  return Object.assign(unit.clone(), { value: null });
}

/** A unit written without a number has the value 1. */
function isOne(unit: Unit, engine: Engine): boolean {
  const own = unit.toNumeric(unit.formatUnits());
  return engine.isBig(own) ? own.eq(1) : own === 1;
}
