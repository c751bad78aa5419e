/** True when the whole matrix is to be tried (`POLLUX_ENGINES=full`) and not a part of it. */
export const FULL: boolean = process.env["POLLUX_ENGINES"] === "full";
