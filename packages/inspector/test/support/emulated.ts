import { endpoint, gemini, type GeminiModel } from "@pollux/core";
import { type Brain, createEmulator } from "@pollux/emulator";

/** A model whose requests go to an emulator of its own. */
export function emulated(brain: Brain): GeminiModel {
  const emulator = createEmulator({ brain });
  return gemini("gemini-3.5-flash", {
    endpoint: endpoint({ baseUrl: "https://generativelanguage.googleapis.com", apiKey: "emulator-key" }),
    fetch: (input, init) => emulator.fetch(input, init),
  });
}
