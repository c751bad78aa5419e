import { recall, remember } from "../browser.ts";

interface Times {
  readonly began: number;
  readonly ended?: number;
}

const KEY = "call-times";

/** When calls began and ended, as this tab has seen it. */
const times: Map<string, Times> = new Map(Object.entries(readTimes()));

/** Notes the calls that have begun or ended since the last time. */
export function noteTimes(messages: readonly { readonly parts: readonly object[] }[]): void {
  let isNew = false;
  for (const part of messages.at(-1)?.parts ?? []) {
    if (!("toolCallId" in part)) continue;
    // A call of a tool.
    const { toolCallId, state, preliminary } = part as { toolCallId: string; state: string; preliminary?: boolean };
    const { began = 0, ended } = times.get(toolCallId) ?? {};
    const isOver = state.startsWith("output-") && preliminary !== true;
    const isRunning = state === "input-available" || (state === "output-available" && !isOver);
    if (began === 0 ? !isRunning : !isOver || ended !== undefined) continue;
    times.set(toolCallId, began === 0 ? { began: Date.now() } : { began, ended: Date.now() });
    isNew = true;
  }
  if (isNew) remember("sessionStorage", KEY, JSON.stringify(Object.fromEntries([...times].slice(-200))));
}

/** How long a call took or has been running, in milliseconds; undefined for one that this tab has not seen begin. */
export function callDuration(toolCallId: string, now: number): number | undefined {
  const known = times.get(toolCallId);
  return known && (known.ended ?? now) - known.began;
}

function readTimes(): Readonly<Record<string, Times>> {
  try {
    return JSON.parse(recall("sessionStorage", KEY)) as Readonly<Record<string, Times>>;
  } catch {
    return {};
  }
}
