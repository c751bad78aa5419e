// What `pnpm chat` runs: a conversation in the terminal. Ctrl-C ends the answer that is being written, not the chat.
import { writeFile } from "node:fs/promises";
import { createInterface, type Interface } from "node:readline/promises";
import { parseArgs } from "node:util";
import { Agent, AgentError, type Chat, googleSearch, type Tool } from "@pollux/core";
import { fileTools } from "@pollux/tools/files";
import { connect } from "./support/connect.ts";
import { dim, RunPrinter, sourceLines, usageLine } from "./support/run-printer.ts";

const HELP = `Usage: pnpm chat [--model ID] [--root FOLDER]

A conversation with a Gemini agent that can read the files under FOLDER (default: here) and search the web.

  -m, --model ID      model to ask (default gemini-flash-latest)
  -r, --root FOLDER   folder the file tools may read (default: the current one)
  -h, --help          this text

In the chat: /help, /tools, /usage, /save FILE, /exit. Ctrl-C ends the answer; twice at the prompt, or Ctrl-D, ends the chat.
`;

const COMMANDS = `/help         this list
/tools        what the agent can call
/usage        tokens so far
/save FILE    the conversation as JSON, as it goes over the wire
/exit         end the chat (also Ctrl-D)
Ctrl-C        end the answer that is being written; the chat goes on
`;

async function main(): Promise<void> {
  const { model, root } = readArguments();
  await using connection = await connect();
  const tools = fileTools({ root });
  const agent = new Agent({
    model,
    endpoint: connection.endpoint,
    instructions: "You are a helpful assistant in a terminal. Answer in plain text, briefly.",
    tools: [...tools, googleSearch()],
    includeThoughts: true,
  });
  const chat = agent.chat();
  const printer = new RunPrinter();
  printer.line(dim(`${connection.description}\n${model}; /help for commands`));

  const terminal = createInterface({ input: process.stdin, output: process.stdout, prompt: "> " });
  let answering: AbortController | undefined;
  let leaving = false;
  terminal.on("SIGINT", () => {
    if (answering !== undefined) return answering.abort(new DOMException("stopped by Ctrl-C", "AbortError"));
    if (leaving) return terminal.close();
    leaving = true;
    printer.line(dim("\nCtrl-C again, Ctrl-D or /exit ends the chat"));
    terminal.prompt();
  });

  for await (const line of lines(terminal)) {
    leaving = false;
    const message = line.trim();
    if (message.startsWith("/")) {
      if (await command(message, { chat, tools, printer })) break;
    } else if (message !== "") {
      answering = new AbortController();
      await answer(chat, message, answering.signal, printer);
      answering = undefined;
    }
  }
  terminal.close();
  printer.line(dim(`\n${usageLine(chat.usage)}`));
}

/** Prompts, and yields what is typed until the input ends. */
async function* lines(terminal: Interface): AsyncGenerator<string, void, void> {
  const typed: string[] = [];
  let wake: (() => void) | undefined;
  let closed = false;
  terminal.on("line", (line) => {
    typed.push(line);
    wake?.();
  });
  terminal.on("close", () => {
    closed = true;
    wake?.();
  });
  for (;;) {
    const line = typed.shift();
    if (line !== undefined) yield line;
    else if (closed) return;
    else {
      terminal.prompt();
      await new Promise<void>((resolve) => (wake = resolve));
    }
  }
}

async function answer(chat: Chat, message: string, signal: AbortSignal, printer: RunPrinter): Promise<void> {
  try {
    printer.line("");
    const stream = chat.stream(message, { signal });
    for await (const event of stream) printer.print(event);
    const result = await stream.result();
    printer.endLine();
    for (const line of sourceLines(result)) printer.line(dim(line));
    if (result.stopReason !== "finished") printer.line(dim(`(ended: ${result.stopReason})`));
    printer.line("");
  } catch (error) {
    printer.endLine();
    if (signal.aborted) printer.line(dim("(stopped; the conversation goes on)"));
    else if (error instanceof AgentError) printer.line(`${error.name}: ${error.message}`);
    else throw error;
  }
}

/** Carries out a command; true ends the chat. */
async function command(
  line: string,
  { chat, tools, printer }: { readonly chat: Chat; readonly tools: readonly Tool[]; readonly printer: RunPrinter },
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
      for (const tool of tools) printer.line(`${tool.name}  ${dim(tool.description)}`);
      printer.line(`googleSearch  ${dim("the web, by Google Search")}`);
      return false;
    case "/usage":
      printer.line(usageLine(chat.usage));
      return false;
    case "/save":
      await save(rest.join(" "), chat, printer);
      return false;
    default:
      printer.line(`there is no command ${name}; /help lists them`);
      return false;
  }
}

async function save(file: string, chat: Chat, printer: RunPrinter): Promise<void> {
  if (file === "") return printer.line("say where: /save FILE");
  try {
    await writeFile(file, `${JSON.stringify(chat.history, null, 2)}\n`, { flag: "wx" });
    printer.line(`saved ${chat.history.length} contents to ${file}`);
  } catch (error) {
    const exists = error instanceof Error && "code" in error && error.code === "EEXIST";
    printer.line(
      exists
        ? `${file} exists already; choose another name`
        : `not saved: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function readArguments(): { readonly model: string; readonly root: string } {
  try {
    const { values } = parseArgs({
      options: {
        model: { type: "string", short: "m", default: "gemini-flash-latest" },
        root: { type: "string", short: "r", default: process.cwd() },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help === true) {
      process.stdout.write(HELP);
      process.exit(0);
    }
    return values;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    process.exit(2);
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof AgentError)) throw error;
  process.stderr.write(`\n${error.name}: ${error.message}\n`);
  process.exitCode = 1;
}
