/** What a `fetch` fails with where no answer was recorded; the same name and code as of a connection that was reset. */
export class ReplayedFailure extends TypeError {
  constructor() {
    const cause = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
    super("fetch failed", { cause });
  }
}
