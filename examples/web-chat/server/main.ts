// Run by `npm run web`: builds the page, and serves it with the agent behind it.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { connect } from "@pollux/cli";
import { buildPage } from "./build-page.ts";
import { emulation } from "./emulation.ts";
import { startWebChat } from "./web-chat.ts";

const HELP = `Usage: npm run web [-- options]

Serves a chat page on this machine, with a Gemini agent behind it.

  -p, --port N     port (default 5173)
  -m, --model ID   model to ask (default gemini-flash-latest)
  -d, --data DIR   folder for the conversations (default examples/web-chat/data)
  -h, --help       this text

Environment: GEMINI_API_KEY, GOOGLE_API_KEY or COMETAPI_KEY to talk to the service; without one a local emulator answers.
`;

const folder = fileURLToPath(new URL("..", import.meta.url));

try {
  const { values } = parseArgs({
    options: {
      port: { type: "string", short: "p", default: "5173" },
      model: { type: "string", short: "m", default: "gemini-flash-latest" },
      data: { type: "string", short: "d", default: join(folder, "data") },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) process.stdout.write(HELP);
  else await serve({ ...values, port: Number(values.port) });
} catch (error) {
  process.stderr.write(`npm run web: ${reasonOf(error)}\n`);
  process.exitCode = 1;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [reason = ""] = error.message.split(/(?<=\.) /, 1);
  switch ("code" in error ? error.code : undefined) {
    case "EADDRINUSE":
      return "The port is in use. Choose another one: npm run web -- --port 5174";
    case "ERR_PARSE_ARGS_UNKNOWN_OPTION":
      return `${reason}\nTry: npm run web -- --help`;
    default:
      return error.message;
  }
}

async function serve(options: { readonly port: number; readonly model: string; readonly data: string }): Promise<void> {
  const page = join(folder, "dist");
  const [connection] = await Promise.all([connect(process.env, emulation()), buildPage(page)]);
  const chat = await startWebChat({ ...options, endpoint: connection.endpoint, page }).catch(async (error: unknown) => {
    await connection[Symbol.asyncDispose]();
    throw error;
  });
  process.stdout.write(`${connection.description}\nThe chat is at ${chat.url}. Press Ctrl-C to stop.\n`);
  await chat.untilStopped();
  process.exit(0);
}
