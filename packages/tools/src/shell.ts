export type { ShellInput, ShellOutput, ShellResult, ShellToolOptions } from "./shell/shell-options.ts";
export { shellTool } from "./shell/shell-tool.ts";
