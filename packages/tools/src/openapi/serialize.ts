import { ModelRetry } from "@pollux/core";
import { isObject } from "./json.ts";
import type { Parameter, Style } from "./parameters.ts";

/** `name=value`, encoded. */
type Pair = string;

const JOINTS: { readonly [style in Style]?: string } = {
  spaceDelimited: "%20",
  pipeDelimited: "%7C",
  tabDelimited: "%09",
};

/**
 * A value encoded for a query, a cookie or a form.
 *
 * @returns `name=value` pairs, percent-encoded; none for a missing value.
 * @see https://spec.openapis.org/oas/v3.1.0#style-examples
 */
export function pairsOf(parameter: Parameter, value: unknown): readonly Pair[] {
  const { name, style, explode, isJson } = parameter;
  if (value === undefined || value === null) return [];
  const encode = parameter.allowReserved ? encodeReserved : encodeAll;
  const pair = (key: string, text: string): Pair => `${encodeAll(key)}=${text}`;
  if (isJson) return [pair(name, encode(JSON.stringify(value)))];
  const joint = JOINTS[style] ?? ",";
  if (style === "deepObject" && typeof value === "object") return deepPairs(encodeAll(name), value, encode);
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => encode(plainText(item)));
    if (items.length === 0) return [];
    return explode ? items.map((item) => pair(name, item)) : [pair(name, items.join(joint))];
  }
  if (isObject(value)) {
    const members = Object.entries(value).map(([key, item]): [string, string] => [key, encode(plainText(item))]);
    if (members.length === 0) return [];
    if (explode) return members.map(([key, item]) => pair(key, item));
    return [pair(name, members.flatMap(([key, item]) => [encodeAll(key), item]).join(joint))];
  }
  return [pair(name, encode(plainText(value)))];
}

function deepPairs(name: string, value: object, encode: (text: string) => string): Pair[] {
  return Object.entries(value).flatMap(([key, item]: [string, unknown]) => {
    const inner = Array.isArray(value) ? `${name}%5B%5D` : `${name}%5B${encodeAll(key)}%5D`;
    if (item === undefined || item === null) return [];
    if (typeof item !== "object") return [`${inner}=${encode(plainText(item))}`];
    // A nested list repeats its name, as most services expect.
    if (Array.isArray(item)) return item.map((one: unknown) => `${inner}=${encode(plainText(one))}`);
    return deepPairs(inner, item, encode);
  });
}

/**
 * A value encoded for a path. It can't leave its segment or, if several are allowed, move up.
 *
 * @throws {ModelRetry} For a value that would change the path.
 */
export function pathText(parameter: Parameter, value: unknown): string {
  const { name, style, explode } = parameter;
  if (parameter.isPath && typeof value === "string") {
    const segments = value.split("/");
    if (segments.some((segment) => segment === "" || isDots(segment)))
      throw new ModelRetry(
        `${name}: must be a plain path without empty segments, "." or "..", got ${JSON.stringify(value.slice(0, 100))}`,
      );
    return segments.map(encodeAll).join("/");
  }
  if (parameter.isJson) return encodeAll(JSON.stringify(value));
  const joint = { label: ".", matrix: `;${encodeAll(name)}=` }[style as "label" | "matrix"] ?? ",";
  const start = { label: ".", matrix: `;${encodeAll(name)}=` }[style as "label" | "matrix"] ?? "";
  const text = ((): string => {
    if (Array.isArray(value))
      return value.map((item: unknown) => encodeAll(plainText(item))).join(explode ? joint : ",");
    if (!isObject(value)) return encodeAll(plainText(value));
    const members = Object.entries(value).map(([key, item]) => [encodeAll(key), encodeAll(plainText(item))]);
    if (!explode) return members.flat().join(",");
    return members.map((member) => member.join("=")).join(style === "matrix" ? ";" : style === "label" ? "." : ",");
  })();
  if (text === "") throw new ModelRetry(`${name}: must not be empty: it is part of the path`);
  // `;a=1;b=2`: the members have their own names.
  return style === "matrix" && explode && isObject(value) ? `;${text}` : `${start}${text}`;
}

/** A value encoded for a header. */
export function headerText(parameter: Parameter, value: unknown): string {
  const text = ((): string => {
    if (parameter.isJson) return JSON.stringify(value);
    if (Array.isArray(value)) return value.map(plainText).join(",");
    if (!isObject(value)) return plainText(value);
    const members = Object.entries(value).map(([key, item]) => [key, plainText(item)]);
    return parameter.explode ? members.map((member) => member.join("=")).join(",") : members.flat().join(",");
  })();
  if (/[^\t\u0020-\u007e\u0080-\u00ff]/.test(text))
    throw new ModelRetry(`${parameter.name}: is sent as a header, which allows only one line of Latin characters`);
  return text;
}

/** Whether a URL would resolve the segment as `.` or `..`, in any encoding. */
export function isDots(segment: string): boolean {
  return /^(?:\.|%2e){1,2}$/i.test(segment);
}

/** A single value as text; anything nested deeper than the style allows becomes JSON. */
export function plainText(value: unknown): string {
  if (typeof value === "string") return value;
  return value === undefined || value === null ? "" : JSON.stringify(value);
}

function encodeAll(text: string): string {
  // A lone surrogate can't be encoded.
  const whole = text.replaceAll(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "\ufffd");
  return encodeURIComponent(whole).replaceAll(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Leaves reserved characters unencoded, except the ones that would end the value. */
function encodeReserved(text: string): string {
  return encodeAll(text).replaceAll(/%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B|5B|5D)/g, (code) =>
    decodeURIComponent(code),
  );
}
