// Entry "@pollux/core/serving": checks, errors and types that servers of web requests share. Names only.
export { checkSite, checkSize, HttpError, readJson, type SiteRules } from "./requests.ts";
export type { ListenOptions, RunningServer } from "./running-server.ts";
