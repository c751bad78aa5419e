import { statSync } from "node:fs";
import { Agent, googleSearch } from "@pollux/core";
import { SqliteStore } from "@pollux/core/node";
import { approveCall } from "./chat/approve-call.ts";
import { ChatInput } from "./chat/chat-input.ts";
import { chatTools, TOOL_WORDS } from "./chat/chat-tools.ts";
import { converse } from "./chat/converse.ts";
import { type CliProcess, type Command, parseOptions, UsageError } from "./command.ts";
import { openConnection } from "./connect.ts";
import { pricesIn } from "./prices.ts";
import { RunPrinter } from "./run-printer.ts";
import { showsColor, showsLinks, widthOf } from "./terminal-text.ts";

const MODEL = "gemini-flash-latest";
const STORE = "pollux-chats.sqlite";

const HELP = `Usage: pollux chat [options]

Chat with a Gemini agent that can read files and search the web. Without an API key, a local emulator answers.

Options:
  -m, --model ID       model to ask (default ${MODEL})
  -r, --root FOLDER    folder that file tools may read (default: the current one)
  -t, --tools LIST     tools in addition to web search, separated by commas; see below (default files, if @pollux/tools
                       is installed)
  -s, --session NAME   save the conversation under this name, or continue it
      --store FILE     SQLite file to save conversations in (default ${STORE})
      --plain          show answers as they come, without colors and layout, as for a screen reader
  -h, --help           show this help

Tools:
  ${TOOL_WORDS}
  write and shell ask for confirmation before they run; answer e to change their arguments.

On a terminal, the Markdown of answers is laid out as it arrives. In a pipe, with NO_COLOR=1 or TERM=dumb, and with
--plain, it is shown unchanged.

In the chat:
  /help, /tools, /usage, /history, /save FILE, /exit
  Ctrl-C stops the answer; Ctrl-C twice at the prompt, or Ctrl-D, ends the chat.

Environment:
  GEMINI_API_KEY, GOOGLE_API_KEY or COMETAPI_KEY   API key of the service
  GOOGLE_GEMINI_BASE_URL                           another base URL, such as an emulator's
  POLLUX_LOG=debug                                 log each request to standard error
  POLLUX_PRICES=INPUT,OUTPUT                       show costs (per million tokens; or google: list prices)
  NO_COLOR=1                                       no colors, and Markdown unchanged
  FORCE_HYPERLINK=1 or 0                           links to click, or addresses beside their texts

Examples:
  pollux chat --tools files,calculator,time
  pollux chat --session trip
  pollux chat --tools 'mcp:npx -y some-mcp-server'
`;

/** A chat in the terminal, saved in a file if it has a name. */
export const chatCommand: Command = { help: HELP, run: runChat };

async function runChat(args: readonly string[], terminal: CliProcess): Promise<number> {
  const options = parseChatOptions(args);
  await using connection = await openConnection(terminal.env);
  using store = options.session === undefined ? undefined : new SqliteStore(options.store);
  await using tools = await chatTools(options.tools, { root: options.root, session: options.session, store });
  const printer = new RunPrinter({
    write: (text) => terminal.stdout.write(text),
    ...(options.plain
      ? { color: false, width: Infinity }
      : { color: showsColor(terminal), width: () => widthOf(terminal), links: showsLinks(terminal) }),
    markdown: terminal.stdout.isTTY === true,
  });
  const input = new ChatInput(printer, terminal);
  let leave = (): void => {};
  try {
    const prices = pricesIn(terminal.env);
    const agent = new Agent({
      model: options.model,
      endpoint: connection.endpoint,
      instructions: "You are a helpful assistant in a terminal. Answer briefly, in Markdown where it helps.",
      tools: [...tools.list, googleSearch()],
      settings: { includeThoughts: true },
      compaction: {},
      prices,
      approve: (pending) => approveCall(pending, tools.list, input),
    });
    const { missing } = tools;
    printer.note([connection.description, ...(missing ?? []), `${options.model}; /help for commands`].join("\n"));
    const session = agent.session({ id: options.session, store });
    leave = () => void session.release().then(() => input.close());
    terminal.once("SIGTERM", leave);
    await converse({ session, tools: tools.list, printer, input, prices });
  } finally {
    terminal.off("SIGTERM", leave);
    input.close();
  }
  return 0;
}

interface ChatOptions {
  readonly model: string;
  readonly root: string;
  readonly tools?: string | undefined;
  readonly session: string | undefined;
  readonly store: string;
  readonly plain: boolean;
}

function parseChatOptions(args: readonly string[]): ChatOptions {
  const { values, positionals } = parseOptions(args, {
    model: { type: "string", short: "m", default: MODEL },
    root: { type: "string", short: "r", default: process.cwd() },
    tools: { type: "string", short: "t" },
    session: { type: "string", short: "s" },
    store: { type: "string", default: STORE },
    plain: { type: "boolean", default: false },
  });
  if (positionals[0] !== undefined)
    throw new UsageError(`Unexpected argument "${positionals[0]}"; type messages at the prompt or pipe them in`);
  if (!statSync(values.root, { throwIfNoEntry: false })?.isDirectory())
    throw new UsageError(`--root must be a folder, and "${values.root}" is not one`);
  return { ...values, session: values.session };
}
