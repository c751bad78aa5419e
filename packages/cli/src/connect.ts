import { inspect } from "node:util";
import { AgentError, type Endpoint } from "@pollux/core";
import { loadOptional } from "@pollux/core/tool";
import { defaultEndpoint, endpoint } from "@pollux/core/wire";
import type { EmulatorOptions } from "@pollux/emulator";

/** Where requests are sent. */
export interface Connection extends AsyncDisposable {
  readonly endpoint: Endpoint;
  /** One line for the user. */
  readonly description: string;
  /** True if a local emulator answers. */
  readonly emulated: boolean;
}

/** If any of these is set, requests go to a service. */
const VARIABLES = [
  "GOOGLE_API_KEY",
  "GEMINI_API_KEY",
  "GOOGLE_GEMINI_BASE_URL",
  "COMETAPI_KEY",
  "GOOGLE_GENERATIVE_AI_API_KEY",
];
const SWITCHES = ["GOOGLE_GENAI_USE_ENTERPRISE", "GOOGLE_GENAI_USE_VERTEXAI"];

/**
 * Connects to the service that the environment names, otherwise to an emulator on a free local port, which runs until the
 * connection is disposed of. For demos and examples: a program whose answers matter should fail without a key, as `Agent` does.
 * From then on, an error of the library that nobody catches ends the program with its message, without a stack trace.
 *
 * @param emulator - Options of the emulator; by default it improvises, without delays.
 * @throws {ConfigurationError} When no service is named and `@pollux/emulator` is not installed.
 * @example
 * ```ts
 * await using connection = await connect();
 * const agent = new Agent({ model: "gemini-flash-latest", endpoint: connection.endpoint });
 * ```
 */
export async function connect(
  env: Readonly<Record<string, string | undefined>> = process.env,
  emulator: EmulatorOptions = {},
): Promise<Connection> {
  if (!process.listeners("uncaughtException").includes(endWithMessage)) process.on("uncaughtException", endWithMessage);
  return await openConnection(env, emulator);
}

/** Ends the program; an error that is not the library's keeps its stack trace. */
function endWithMessage(error: unknown): void {
  process.stderr.write(`${error instanceof AgentError ? error.message : inspect(error)}\n`);
  process.exit(1);
}

/** {@link connect} for a program that reports errors itself. */
export async function openConnection(
  env: Readonly<Record<string, string | undefined>>,
  emulator: EmulatorOptions = {},
): Promise<Connection> {
  if (namesService(env)) {
    const service = defaultEndpoint(env);
    return {
      endpoint: service,
      description: `Answers come from ${new URL(service.baseUrl).host}.`,
      emulated: false,
      [Symbol.asyncDispose]: async () => {},
    };
  }
  const load = () => Promise.all([import("@pollux/emulator"), import("@pollux/emulator/improvise")]);
  const use = { user: "connect() without an API key", packages: ["@pollux/emulator"] };
  const [{ createEmulator }, { improvise }] = await loadOptional(use, load);
  const server = await createEmulator({
    ...emulator,
    brain: emulator.brain ?? improvise({ seed: emulator.seed }),
  }).listen();
  return {
    endpoint: endpoint({ baseUrl: server.url }),
    description:
      "No API key is set, so a local emulator answers. Set GEMINI_API_KEY or COMETAPI_KEY to ask a real model.",
    emulated: true,
    [Symbol.asyncDispose]: () => server.close(),
  };
}

/** True when the environment names a service to ask. */
export function namesService(env: Readonly<Record<string, string | undefined>>): boolean {
  return VARIABLES.some((name) => env[name]) || SWITCHES.some((name) => /^(?:1|true)$/i.test(env[name] ?? ""));
}
