// Imported before a program: its wall clock is ahead of that of the machine, its monotonic clock is not.

const hours = Number(new URL(import.meta.url).searchParams.get("hours"));
const aheadMs = hours * 3_600_000;
const now = Date.now.bind(Date);

globalThis.Date = class extends Date {
  constructor(...args: readonly unknown[]) {
    // Any of the forms that a date takes.
    super(...((args.length === 0 ? [now() + aheadMs] : args) as [number]));
  }

  static override now(): number {
    return now() + aheadMs;
  }
} as DateConstructor;
