// Imported before a program: puts its wall clock ahead of the machine's, but not its monotonic clock.

const hours = Number(new URL(import.meta.url).searchParams.get("hours"));
const aheadMs = hours * 3_600_000;
const now = Date.now.bind(Date);

globalThis.Date = class extends Date {
  constructor(...args: readonly unknown[]) {
    // Any arguments of `Date`.
    super(...((args.length === 0 ? [now() + aheadMs] : args) as [number]));
  }

  static override now(): number {
    return now() + aheadMs;
  }
} as DateConstructor;
