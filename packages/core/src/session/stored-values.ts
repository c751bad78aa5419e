import { isObject } from "../internal/json.ts";
import { NO_USAGE } from "../model/usage.ts";

/** Members of a stored object, of which nothing is known yet. */
export type Fields = Readonly<Record<string, unknown>>;

/** True for the tokens of a run or of an answer. */
export function isUsage(value: unknown): boolean {
  return isObject(value) && Object.entries(NO_USAGE).every(([key, none]) => typeof value[key] === typeof none);
}

/** True for what says when it began and ended. */
export function isTimed(value: Fields): boolean {
  return isNumber(value["startedAt"]) && isNumber(value["endedAt"]);
}

/** True for an error as data. */
export function isError(value: unknown): boolean {
  return isObject(value) && typeof value["name"] === "string" && typeof value["message"] === "string";
}

/** True for where contents came from. */
export function isOrigin(value: unknown): boolean {
  return isObject(value) && typeof value["endpoint"] === "string" && typeof value["family"] === "string";
}

/** True for a text that is not empty. */
export function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

/** True for a finite number. */
export function isNumber(value: unknown): boolean {
  return typeof value === "number" && Number.isFinite(value);
}

/** True for a whole number from 0 on. */
export function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
