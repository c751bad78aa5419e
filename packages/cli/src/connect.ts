import type { Endpoint } from "@pollux/core";
import { defaultEndpoint, endpoint } from "@pollux/core/wire";
import { createEmulator, type EmulatorOptions } from "@pollux/emulator";

/** Where requests are sent. */
export interface Connection extends AsyncDisposable {
  readonly endpoint: Endpoint;
  /** One line for the user. */
  readonly description: string;
  /** True if a local emulator answers. */
  readonly emulated: boolean;
}

/** If any of these is set, requests go to a service. */
const VARIABLES = ["GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL", "COMETAPI_KEY"];
const SWITCHES = ["GOOGLE_GENAI_USE_ENTERPRISE", "GOOGLE_GENAI_USE_VERTEXAI"];

/**
 * Connects to the service that the environment names, otherwise to an emulator on a free local port, which runs until the
 * connection is disposed of. For demos and examples: a program whose answers matter should fail without a key, as `Agent` does.
 *
 * @param emulator - Options of the emulator.
 */
export async function connect(
  env: Readonly<Record<string, string | undefined>> = process.env,
  emulator: EmulatorOptions = {},
): Promise<Connection> {
  const isNamed = VARIABLES.some((name) => env[name]) || SWITCHES.some((name) => /^(?:1|true)$/i.test(env[name] ?? ""));
  if (isNamed) {
    const service = defaultEndpoint(env);
    return {
      endpoint: service,
      description: `talking to ${new URL(service.baseUrl).host}`,
      emulated: false,
      [Symbol.asyncDispose]: async () => {},
    };
  }
  const server = await createEmulator(emulator).listen();
  return {
    endpoint: endpoint({ baseUrl: server.url }),
    description: "no API key is set: using a local emulator; set GEMINI_API_KEY or COMETAPI_KEY to use a service",
    emulated: true,
    [Symbol.asyncDispose]: () => server.close(),
  };
}
