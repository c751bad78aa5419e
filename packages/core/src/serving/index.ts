// Entry "@pollux/core/serving": what servers of web requests share. Names only.
export { checkSite, checkSize, HttpError, readJson, type SiteRules } from "./requests.ts";
export type { ListenOptions, RunningServer } from "./running-server.ts";
