/** Evaluates an expression with `+ - * / ^` and parentheses; undefined for anything else. */
export function evaluate(expression: string): number | undefined {
  const tokens =
    expression
      .replaceAll("×", "*")
      .replaceAll("÷", "/")
      .match(/\d+(?:\.\d+)?|[-+*/^()]/g) ?? [];
  let at = 0;
  const value = (): number => {
    const token = tokens[at];
    at += 1;
    if (token === "-") return -value();
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
