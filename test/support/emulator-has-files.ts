import { createEmulator } from "@pollux/emulator";

/** Whether the emulator answers for the Files API; what needs it is skipped where it does not. */
export async function emulatorHasFiles(): Promise<boolean> {
  const headers = { "x-goog-api-key": "emulator" };
  return (await createEmulator().fetch("/v1beta/files", { headers })).ok;
}
