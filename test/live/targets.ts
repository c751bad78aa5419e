import { cometapi, type Endpoint, geminiApi, vertex } from "@pollux/core";
import { createEmulator, type EmulatorOptions } from "@pollux/emulator";
import { improvise } from "@pollux/emulator/improvise";
import { type Send, SERVICES, type ServiceName } from "./service.ts";

/** A service, or its stand-in. */
export interface Target {
  readonly name: ServiceName;
  readonly endpoint: Endpoint;
  readonly send: Send;
  /** Values that must not be in any file. */
  readonly secrets: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

const isTrue = (value: string | undefined): boolean => /^(?:1|true)$/i.test(value ?? "");
const present = (...values: readonly (string | undefined)[]): string[] =>
  values.filter((value): value is string => Boolean(value));

/** The services with keys in the environment. */
export function targetsOf(env: Environment): readonly Target[] {
  const usesVertex = isTrue(env["GOOGLE_GENAI_USE_ENTERPRISE"] ?? env["GOOGLE_GENAI_USE_VERTEXAI"]);
  const [google1, gemini1, comet] = [env["GOOGLE_API_KEY"], env["GEMINI_API_KEY"], env["COMETAPI_KEY"]];
  // Its own addresses only: --against is for other ones.
  const own = { ...env, GOOGLE_GEMINI_BASE_URL: undefined, GOOGLE_VERTEX_BASE_URL: undefined };
  const found: readonly (readonly [key: string | undefined, name: ServiceName, make: (key: string) => Endpoint])[] = [
    // With Vertex enabled, Google's key is for Vertex.
    [usesVertex ? gemini1 : google1 || gemini1, "developer", (apiKey) => geminiApi({ env: own, apiKey })],
    [usesVertex ? google1 : undefined, "vertex", () => vertex({ env: own })],
    [comet, "comet", () => cometapi({ env: own })],
  ];
  return found.flatMap(([key, name, make]) => {
    if (!key) return [];
    const secrets = present(key, name === "vertex" ? env["GOOGLE_CLOUD_PROJECT"] : undefined);
    return [{ name, endpoint: make(key), send: (url, init) => fetch(url, init), secrets }];
  });
}

/** The service at another address, which only gets the key that is meant for it: `POLLUX_LIVE_KEY`. */
export function targetAt(
  baseUrl: string,
  name: ServiceName,
  env: Environment,
  send: Send = (url, init) => fetch(url, init),
): Target {
  const key = env["POLLUX_LIVE_KEY"];
  const make = { developer: geminiApi, vertex, comet: cometapi }[name];
  return { name, endpoint: make({ baseUrl, apiKey: key || "emulator", env: {} }), send, secrets: present(key) };
}

/** An emulator in this process that imitates a service. */
export function emulated(name: ServiceName, options: EmulatorOptions = {}): Target {
  const emulator = createEmulator({ brain: improvise(), profile: name, ...options });
  return targetAt("http://127.0.0.1:1", name, {}, (url, init) => emulator.fetch(url, init));
}

export const isService = (name: string): name is ServiceName => SERVICES.some((service) => service === name);
