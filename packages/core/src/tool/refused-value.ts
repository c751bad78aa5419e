/** A value without a JSON form: `JSON.stringify` would leave `{}` of it, or less than its author meant. */
export class RefusedValue {
  /** What stands for it where it is not refused. */
  readonly copy: string | object;
  /** What it is, and what to write instead: `is a promise: await it`. */
  readonly problem: string;

  constructor(value: object, copy: string | object = value) {
    this.copy = copy;
    this.problem = describe(value);
  }
}

function describe(value: object): string {
  const name = classOf(value);
  const named = name === undefined || name === "Promise" ? "" : ` (${name})`;
  const has = (method: PropertyKey): boolean => typeof Reflect.get(value, method) === "function";
  if (ArrayBuffer.isView(value) || (has("arrayBuffer") && !has("json")) || value instanceof ArrayBuffer)
    return `has bytes${named}: use media() to show them to the model, or return a text`;
  if (has("then")) return `is a promise${named}: await it`;
  if (has("json")) return `is an HTTP message${named}: return await response.json() or await response.text()`;
  if (has("getReader") || has("pipe")) return `is a stream${named}: read it to its end and return what came`;
  if (has(Symbol.asyncIterator)) return `is an async iterator${named}: collect what it yields in an array`;
  if (has(Symbol.iterator)) return `is a list, but no array${named}: return an array, such as [...it]`;
  return `is an instance of a class${named}: return a plain object, such as { ...it }, or give the class a toJSON()`;
}

/** The name of a value's class, if it is of one. That of an object literal's prototype, in any realm, is of none. */
export function classOf(value: object): string | undefined {
  const tag = Object.prototype.toString.call(value).slice("[object ".length, -1);
  const name = tag === "Object" ? value.constructor?.name : tag;
  return name === "Object" ? undefined : name;
}

/** A place in a value, such as `$.items[2].body`. */
export function pathOf(keys: readonly (string | number)[]): string {
  const steps = keys.map((key) => (/^[A-Za-z_$][\w$]*$/.test(String(key)) ? `.${key}` : `[${JSON.stringify(key)}]`));
  return `$${steps.join("")}`;
}
