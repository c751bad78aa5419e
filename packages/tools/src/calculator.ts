export {
  calculator,
  type CalculatorInput,
  type CalculatorOptions,
  type CalculatorResult,
} from "./calculator/calculator.ts";
