export { connect, type Connection } from "./connect.ts";
export { formatUsage, RunPrinter, type RunPrinterOptions } from "./run-printer.ts";
export type { ShowSessionOptions } from "./show/page.ts";
export { showSession } from "./show/show-session.ts";
export { showsColor } from "./terminal-text.ts";
