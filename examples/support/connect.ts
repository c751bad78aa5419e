import { cometapi, type Endpoint, endpoint, google } from "@pollux/core";
import { createEmulator } from "@pollux/emulator";

/** Where an example's requests go. */
export interface Connection extends AsyncDisposable {
  readonly endpoint: Endpoint;
  /** One line for the person at the terminal. */
  readonly description: string;
  /** True when the answers are made up locally. */
  readonly emulated: boolean;
}

/**
 * The service when a key is set (`GOOGLE_API_KEY`, `GEMINI_API_KEY`, `COMETAPI_KEY`), whatever stands at
 * `GOOGLE_GEMINI_BASE_URL`, otherwise an emulator on a free port of this machine.
 */
export async function connect(): Promise<Connection> {
  const { GOOGLE_API_KEY, GEMINI_API_KEY, GOOGLE_GEMINI_BASE_URL, COMETAPI_KEY } = process.env;
  const done = async (): Promise<void> => {};
  if (GOOGLE_API_KEY || GEMINI_API_KEY || GOOGLE_GEMINI_BASE_URL) {
    const service = google();
    return {
      endpoint: service,
      description: `talking to ${new URL(service.baseUrl).host}`,
      emulated: false,
      [Symbol.asyncDispose]: done,
    };
  }
  if (COMETAPI_KEY) {
    return { endpoint: cometapi(), description: "talking to CometAPI", emulated: false, [Symbol.asyncDispose]: done };
  }
  const server = await createEmulator().listen();
  return {
    endpoint: endpoint({ baseUrl: server.url }),
    description: `no API key is set, so a local emulator answers at ${server.url} (set GEMINI_API_KEY, GOOGLE_API_KEY or COMETAPI_KEY to talk to the service)`,
    emulated: true,
    [Symbol.asyncDispose]: () => server.close(),
  };
}
