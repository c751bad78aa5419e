/** How many hostile inputs of each kind a system test draws; `POLLUX_LONG=1` draws five times as many. */
export const HOSTILE_INPUTS: number = process.env["POLLUX_LONG"] === "1" ? 10_000 : 2_000;
