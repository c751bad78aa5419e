/** The error of a `fetch` for which no answer was recorded; with the name and code of a connection reset. */
export class ReplayedFailure extends TypeError {
  constructor() {
    const cause = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
    super("fetch failed", { cause });
  }
}
