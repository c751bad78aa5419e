import {
  absDependencies,
  acosDependencies,
  addDependencies,
  asinDependencies,
  atan2Dependencies,
  atanDependencies,
  type BigNumber,
  bignumberDependencies,
  cbrtDependencies,
  cosDependencies,
  coshDependencies,
  create,
  divideDependencies,
  eDependencies,
  expDependencies,
  log10Dependencies,
  log2Dependencies,
  logDependencies,
  multiplyDependencies,
  nthRootDependencies,
  parseDependencies,
  phiDependencies,
  piDependencies,
  powDependencies,
  sinDependencies,
  sinhDependencies,
  sqrtDependencies,
  subtractDependencies,
  tanDependencies,
  tanhDependencies,
  tauDependencies,
  toDependencies,
  type Unit,
  unaryMinusDependencies,
  unitDependencies,
} from "mathjs";

/** The parts of mathjs that are used: its parser, decimals of a fixed precision, and units. Loaded on first use. */
export interface Engine {
  /** @throws {Error} With `char`, the position counted from 1, if it is not an expression. */
  parse(expression: string): unknown;
  big(text: string): BigNumber;
  isBig(value: unknown): value is BigNumber;
  isUnit(value: unknown): value is Unit;
  /** One of the unit, or `undefined` if there is no unit of this name. */
  unit(name: string): Unit | undefined;
  constant(name: string): BigNumber | undefined;
  /** Calls a mathjs function chosen by this package, never by an expression. */
  call(name: string, args: readonly unknown[]): unknown;
}

const CONSTANTS: ReadonlySet<string> = new Set(["pi", "e", "tau", "phi"]);

/** @param precision - Significant digits of every decimal step. */
export function createEngine(precision: number): Engine {
  const math = create(
    {
      ...absDependencies,
      ...acosDependencies,
      ...addDependencies,
      ...asinDependencies,
      ...atan2Dependencies,
      ...atanDependencies,
      ...bignumberDependencies,
      ...cbrtDependencies,
      ...cosDependencies,
      ...coshDependencies,
      ...divideDependencies,
      ...eDependencies,
      ...expDependencies,
      ...log10Dependencies,
      ...log2Dependencies,
      ...logDependencies,
      ...multiplyDependencies,
      ...nthRootDependencies,
      ...parseDependencies,
      ...phiDependencies,
      ...piDependencies,
      ...powDependencies,
      ...sinDependencies,
      ...sinhDependencies,
      ...sqrtDependencies,
      ...subtractDependencies,
      ...tanDependencies,
      ...tanhDependencies,
      ...tauDependencies,
      ...toDependencies,
      ...unaryMinusDependencies,
      ...unitDependencies,
    },
    { number: "BigNumber", precision, predictable: true },
  );
  // Every name looked up here is one of the above.
  const functions = math as unknown as { readonly [name: string]: (...args: readonly unknown[]) => unknown };
  return {
    parse: (expression) => math.parse(expression),
    big: (text) => math.bignumber(text),
    isBig: (value): value is BigNumber => isOfType(value, "isBigNumber"),
    isUnit: (value): value is Unit => isOfType(value, "isUnit"),
    unit: (name) => {
      try {
        const unit = math.unit(math.bignumber(1), name);
        return unit.units.length === 1 ? unit : undefined;
      } catch {
        return undefined;
      }
    },
    constant: (name) => (CONSTANTS.has(name) ? (functions[name] as unknown as BigNumber) : undefined),
    call: (name, args) => functions[name]?.(...args),
  };
}

/** How mathjs marks its values. */
function isOfType(value: unknown, mark: string): boolean {
  return typeof value === "object" && value !== null && (value as { readonly [mark: string]: unknown })[mark] === true;
}
