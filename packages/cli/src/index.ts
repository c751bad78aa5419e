export { connect, type Connection } from "./connect.ts";
export { formatUsage, RunPrinter, type RunPrinterOptions } from "./run-printer.ts";
export { showsColor } from "./terminal-text.ts";
