// Entry "@pollux/core/serving": what servers of web requests share. Names only.
export { checkSite, checkSize, type SiteRules } from "./check-request.ts";
export { HttpError } from "./http-error.ts";
export { readJson } from "./read-json.ts";
