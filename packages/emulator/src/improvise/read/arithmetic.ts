const NUMBER = String.raw`-?\d+(?:\.\d+)?`;
const MAX_EXPRESSION = 200;

const LIST = String.raw`(${NUMBER}(?:(?:\s*,\s*(?:and\s+)?|\s+and\s+)${NUMBER})+)`;
const OPERATORS: readonly (readonly [RegExp, string])[] = [
  [/\s+plus\s+/gi, " + "],
  [/\s+minus\s+/gi, " - "],
  [/\s+(?:times|multiplied by)\s+/gi, " * "],
  [/\s+divided by\s+/gi, " / "],
  [/\s+squared\b/gi, "^2"],
  [/\s+cubed\b/gi, "^3"],
  [/\s+(?:to the power of|raised to)\s+/gi, " ^ "],
];

/** Ways to ask for a calculation in words, with what is calculated. */
const SPOKEN: readonly (readonly [RegExp, (...found: string[]) => string])[] = [
  [
    new RegExp(String.raw`(${NUMBER})\s*(?:%|percent)\s+of\s+(?:\D{1,2}\s?)?(${NUMBER})`, "i"),
    (a, b) => `${b} * ${a} / 100`,
  ],
  [
    new RegExp(String.raw`(${NUMBER})\s*(?:%|percent)\s+off(?:\s+of)?\s+(?:\D{1,2}\s?)?(${NUMBER})`, "i"),
    (a, b) => `${b} * (100 - ${a}) / 100`,
  ],
  [
    new RegExp(
      String.raw`\b(?:split|share)\b\D{0,40}?(${NUMBER})\D{0,20}?\s(?:between|among|by|with|into)\s+(${NUMBER})`,
      "i",
    ),
    (a, b) => `${a} / ${b}`,
  ],
  [new RegExp(String.raw`\bhalf of\s+(${NUMBER})`, "i"), (a) => `${a} / 2`],
  [new RegExp(String.raw`\b(?:twice|double)\s+(${NUMBER})`, "i"), (a) => `2 * ${a}`],
  [/\b(\d+)\s+factorial\b/i, (a) => `${a}!`],
  [/\bfactorial of\s+(\d+)/i, (a) => `${a}!`],
  [new RegExp(String.raw`square root of\s+(${NUMBER})`, "i"), (a) => `sqrt(${a})`],
  [new RegExp(String.raw`\bsubtract\s+(${NUMBER})\s+from\s+(${NUMBER})`, "i"), (a, b) => `${b} - ${a}`],
  [new RegExp(String.raw`\bmultiply\s+(${NUMBER})\s+(?:by|and|with)\s+(${NUMBER})`, "i"), (a, b) => `${a} * ${b}`],
  [new RegExp(String.raw`\bdivide\s+(${NUMBER})\s+by\s+(${NUMBER})`, "i"), (a, b) => `${a} / ${b}`],
  [new RegExp(String.raw`\badd\s+(${NUMBER})\s+to\s+(${NUMBER})`, "i"), (a, b) => `${b} + ${a}`],
  [new RegExp(String.raw`\bproduct of\s+${LIST}`, "i"), (list) => numbersOf(list).join(" * ")],
  [new RegExp(String.raw`\b(?:average|mean) of\s+${LIST}`, "i"), (list) => `mean(${numbersOf(list).join(", ")})`],
  [
    new RegExp(String.raw`\b(?:add(?: up)?|sum(?: up)?|(?:sum|total) of)\s+${LIST}`, "i"),
    (list) => numbersOf(list).join(" + "),
  ],
];

const UNITS: ReadonlyMap<string, string> = new Map(
  "mile mile|kilometer km|kilometre km|km km|meter m|metre m|m m|centimeter cm|centimetre cm|cm cm|millimeter mm|mm mm|inch inch|inche inch|foot ft|feet ft|ft ft|yard yd|pound lb|lb lb|kilogram kg|kilo kg|kg kg|gram g|g g|ounce oz|oz oz|liter L|litre L|gallon gal|celsius degC|°c degC|fahrenheit degF|°f degF|hour hour|minute minute|second second|day day|week week|month month|year year"
    .split("|")
    .map((row) => {
      const [word = "", unit = ""] = row.split(" ");
      return [word, unit];
    }),
);

/** The calculations that a text asks for, as expressions: `17 * 23`, `80 * 15 / 100`, `5 mile to km`. */
export function expressionsIn(given: string): string[] {
  const text = given.replaceAll(/(?<=\d),(?=\d{3}\b)/g, "");
  const spoken = SPOKEN.flatMap(([pattern, build]) => {
    const found = pattern.exec(text);
    return found === null ? [] : [build(...found.slice(1))];
  });
  if (spoken.length > 0) return spoken.slice(0, 1);
  const converted = conversionIn(text);
  if (converted !== undefined) return [converted];
  let symbols = text;
  for (const [pattern, symbol] of OPERATORS) symbols = symbols.replaceAll(pattern, symbol);
  const asked = /\b(?:calculat|comput|evaluat|what(?:'s| is)|how much)/i.test(text);
  return [...symbols.matchAll(/[-(\d][\d\s.+\-*/^×÷()]*[\d)]/g)]
    .map(([found]) => found.trim())
    .filter((found) => found.length <= MAX_EXPRESSION && isCalculation(found, asked));
}

/** The numbers of a calculation in the order in which a function takes them: what is subtracted comes second. */
export function operandsIn(text: string): string {
  return text.replace(
    new RegExp(String.raw`\bsubtract\s+(${NUMBER})\s+from\s+(${NUMBER})`, "i"),
    (_, less: string, from: string) => `subtract ${from} minus ${less}`,
  );
}

/** The names of the operations that a text asks for. */
export function operationsIn(text: string, expressions: readonly string[]): string[] {
  const of = (pattern: RegExp, word: string): string[] =>
    pattern.test(text) || expressions.some((expression) => pattern.test(expression)) ? [word] : [];
  return [
    ...of(/\d\s*\+\s*|\bplus\b|\bsum of\b/i, "add sum plus"),
    ...of(/\d\s+-\s+|\bminus\b/i, "subtract minus"),
    ...of(/\d\s*[*×]|\btimes\b|\bproduct of\b/i, "multiply times product"),
    ...of(/\d\s*[/÷]|\bdivided by\b/i, "divide"),
    ...of(/\^|\bsquared\b|\bpower\b/i, "power"),
    ...of(/square root/i, "sqrt root"),
  ];
}

function isCalculation(expression: string, asked: boolean): boolean {
  if (!/[\d)]\s*[-+*/^×÷]\s*[-(\d]/.test(expression)) return false;
  // A bare 3-4 or 24/7 is a range or a figure of speech, unless someone asks for its result.
  if (!asked && /^\d+[-/]\d+$/.test(expression)) return false;
  return evaluate(expression) !== undefined;
}

function conversionIn(text: string): string | undefined {
  const unit = String.raw`(°[CF]|[a-z]+)`;
  const degrees = String.raw`(?:degrees?\s+)?`;
  const forward = new RegExp(
    String.raw`(${NUMBER})\s*${degrees}${unit}\s+(?:to|in|into|as)\s+${degrees}${unit}`,
    "i",
  ).exec(text);
  const backward = new RegExp(
    String.raw`how many\s+${unit}\s+(?:(?:is|are)(?: there)? in|is|are|in|equals?)\s+(${NUMBER}|an?|one)\s*${degrees}${unit}`,
    "i",
  ).exec(text);
  const [amount, from, to] = forward?.slice(1) ?? [backward?.[2], backward?.[3], backward?.[1]];
  const count = /^(?:an?|one)$/i.test(amount ?? "") ? "1" : amount;
  const units = [from, to].map((word) => {
    const lower = word?.toLowerCase() ?? "";
    return UNITS.get(lower) ?? UNITS.get(lower.replace(/s$/, ""));
  });
  return units.includes(undefined) ? undefined : `${count} ${units[0]} to ${units[1]}`;
}

function numbersOf(list: string): string[] {
  return list.match(/-?\d+(?:\.\d+)?/g) ?? [];
}

/** Evaluates an expression with `+ - * / ^`, `sqrt` and parentheses; undefined for anything else. */
export function evaluate(expression: string): number | undefined {
  if (expression.length > MAX_EXPRESSION || /[^-\d\s.+*/^×÷()a-z]/.test(expression)) return undefined;
  const symbols = expression.replaceAll("×", "*").replaceAll("÷", "/");
  const tokens = symbols.match(/\d+(?:\.\d+)?|[-+*/^()]|[a-z]+/g) ?? [];
  let at = 0;
  const value = (): number => {
    const token = tokens[at];
    at += 1;
    if (token === "-") return -value();
    if (token === "sqrt") return Math.sqrt(value());
    if (token !== "(") return Number(token);
    const inner = sum();
    at += 1;
    return inner;
  };
  const power = (): number => {
    const base = value();
    if (tokens[at] !== "^") return base;
    at += 1;
    return base ** power();
  };
  const product = (): number => {
    let result = power();
    while (tokens[at] === "*" || tokens[at] === "/") {
      at += 1;
      result = tokens[at - 1] === "*" ? result * power() : result / power();
    }
    return result;
  };
  const sum = (): number => {
    let result = product();
    while (tokens[at] === "+" || tokens[at] === "-") {
      at += 1;
      result = tokens[at - 1] === "+" ? result + product() : result - product();
    }
    return result;
  };
  const result = sum();
  return at === tokens.length && Number.isFinite(result) ? result : undefined;
}
