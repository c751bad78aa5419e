// What `pnpm chat` runs: a conversation in the terminal, kept in a file when it has a name. Ctrl-C ends the answer that is being
// written, not the chat; what is typed meanwhile is said to the model on the way.
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import {
  Agent,
  AgentError,
  type AnyTool,
  type Approval,
  googleSearch,
  type RunStream,
  type Session,
} from "@pollux/core";
import { SqliteStore } from "@pollux/core/node";
import { chatTools, TOOL_WORDS } from "./support/chat-tools.ts";
import { connect } from "./support/connect.ts";
import { dim, printable, RunPrinter, sourceLines, usageLine } from "./support/run-printer.ts";
import { Terminal } from "./support/terminal.ts";

const HELP = `Usage: pnpm chat [--model ID] [--root FOLDER] [--tools LIST] [--session NAME [--store FILE]]

A conversation with a Gemini agent that can read the files under FOLDER (default: here) and search the web.

  -m, --model ID       model to ask (default gemini-flash-latest)
  -r, --root FOLDER    folder the file tools may read (default: the current one)
  -t, --tools LIST     what it can use besides the web, parted by commas (default files):
                       ${TOOL_WORDS}
  -s, --session NAME   keep the conversation under this name, and go on with it next time
      --store FILE     SQLite file the conversations are kept in (default pollux-chats.sqlite)
  -h, --help           this text

In the chat: /help, /tools, /usage, /history, /save FILE, /exit. Ctrl-C ends the answer; twice at the prompt, or Ctrl-D, ends the chat.
`;

const COMMANDS = `/help         this list
/tools        what the agent can call
/usage        tokens so far
/history      what was said so far
/save FILE    the conversation as JSON, as it goes over the wire
/exit         end the chat (also Ctrl-D)
Ctrl-C        end the answer that is being written; the chat goes on
What you type while an answer is being written goes along with the next request.
`;

interface Arguments {
  readonly model: string;
  readonly root: string;
  readonly tools: string;
  readonly session: string | undefined;
  readonly store: string;
}

async function main({ model, root, tools: list, session: name, store: file }: Arguments): Promise<void> {
  await using connection = await connect();
  using store = name === undefined ? undefined : new SqliteStore(file);
  await using closing = new AsyncDisposableStack();
  const tools = await chatTools(list, { root, session: name, store }, closing);
  const printer = new RunPrinter();
  const terminal = new Terminal(printer);
  const agent = new Agent({
    model,
    endpoint: connection.endpoint,
    instructions: "You are a helpful assistant in a terminal. Answer in plain text, briefly.",
    tools: [...tools, googleSearch()],
    includeThoughts: true,
    compaction: {},
    approve: async ({ call }): Promise<Approval> =>
      (await terminal.ask(`May ${call.name} run with ${JSON.stringify(call.args)}? [y/N] `)) || {
        deny: "the user said no",
      },
  });
  const session = agent.session({ id: name, store });
  printer.line(dim(`${connection.description}\n${model}; /help for commands`));
  await welcome(session, terminal, printer);

  for await (const line of terminal.lines()) {
    const message = line.trim();
    if (message.startsWith("/")) {
      if (await command(message, { session, tools, printer })) break;
    } else if (message !== "") {
      await answer(
        session.stream(message, { signal: terminal.begin((text) => session.steer(text)) }),
        terminal,
        printer,
      );
    }
  }
  terminal.close();
  printer.line(dim(`\n${usageLine((await session.state()).usage)}`));
}

/** Says where the conversation stands, and goes on with an answer that was cut off. */
async function welcome(session: Session, terminal: Terminal, printer: RunPrinter): Promise<void> {
  const { runs, lastRun, resumable } = await session.state();
  if (lastRun === undefined) return;
  printer.line(dim(`${session.id} goes on after ${runs} ${runs === 1 ? "message" : "messages"}; /history shows them`));
  if (lastRun !== "cut-off" || !resumable) return;
  printer.line(dim("the last answer was cut off; it goes on now"));
  await answer(session.resumeStream({ signal: terminal.begin((text) => session.steer(text)) }), terminal, printer);
}

async function answer(stream: RunStream, terminal: Terminal, printer: RunPrinter): Promise<void> {
  try {
    printer.line("");
    for await (const event of stream) printer.print(event);
    const result = await stream.result();
    printer.endLine();
    for (const line of sourceLines(result)) printer.line(dim(line));
    if (result.stopReason !== "finished") printer.line(dim(`(ended: ${result.stopReason})`));
    printer.line("");
  } catch (error) {
    printer.endLine();
    if (terminal.wasStopped) printer.line(dim("(stopped; the conversation goes on)"));
    else if (error instanceof AgentError) printer.line(`${error.name}: ${error.message}`);
    else throw error;
  } finally {
    terminal.end();
  }
}

/** Carries out a command; true ends the chat. */
async function command(
  line: string,
  {
    session,
    tools,
    printer,
  }: { readonly session: Session; readonly tools: readonly AnyTool[]; readonly printer: RunPrinter },
): Promise<boolean> {
  const [name = "", ...rest] = line.split(/\s+/);
  switch (name) {
    case "/exit":
    case "/quit":
      return true;
    case "/help":
      printer.line(COMMANDS.trimEnd());
      return false;
    case "/tools":
      for (const tool of tools)
        printer.line(`${tool.name}  ${dim("description" in tool ? tool.description : "built in")}`);
      printer.line(`googleSearch  ${dim("the web, by Google Search")}`);
      return false;
    case "/usage":
      printer.line(usageLine((await session.state()).usage));
      return false;
    case "/history":
      for (const { role, parts } of await session.history()) {
        const text = parts.flatMap((part) => (part.thought === true ? [] : [part.text ?? ""])).join("");
        if (text !== "") printer.line(`${dim(role === "model" ? "<" : ">")} ${printable(text)}`);
      }
      return false;
    case "/save":
      await save(rest.join(" "), session, printer);
      return false;
    default:
      printer.line(`there is no command ${name}; /help lists them`);
      return false;
  }
}

async function save(file: string, session: Session, printer: RunPrinter): Promise<void> {
  if (file === "") return printer.line("say where: /save FILE");
  const history = await session.history();
  try {
    await writeFile(file, `${JSON.stringify(history, null, 2)}\n`, { flag: "wx" });
    printer.line(`saved ${history.length} contents to ${file}`);
  } catch (error) {
    const exists = error instanceof Error && "code" in error && error.code === "EEXIST";
    printer.line(
      exists
        ? `${file} exists already; choose another name`
        : `not saved: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function readArguments(): Arguments {
  try {
    const { values } = parseArgs({
      options: {
        model: { type: "string", short: "m", default: "gemini-flash-latest" },
        root: { type: "string", short: "r", default: process.cwd() },
        tools: { type: "string", short: "t", default: "files" },
        session: { type: "string", short: "s" },
        store: { type: "string", default: "pollux-chats.sqlite" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help === true) {
      process.stdout.write(HELP);
      process.exit(0);
    }
    return { ...values, session: values.session };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    process.exit(2);
  }
}

try {
  await main(readArguments());
} catch (error) {
  if (!(error instanceof AgentError || error instanceof TypeError)) throw error;
  process.stderr.write(`\n${error.name}: ${error.message}\n`);
  process.exitCode = 1;
}
