import { createEmulator } from "@pollux/emulator";

/** Whether the emulator answers for explicit caches; what needs them is skipped where it does not. */
export async function emulatorHasCaches(): Promise<boolean> {
  const headers = { "x-goog-api-key": "emulator" };
  return (await createEmulator().fetch("/v1beta/cachedContents", { headers })).ok;
}
