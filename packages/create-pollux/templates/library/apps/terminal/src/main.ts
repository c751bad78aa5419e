import { createInterface } from "node:readline";
import { connect, formatUsage, RunPrinter } from "@pollux/cli";
import { createDiceAgent } from "@my-agent/dice-agent";

const printer = new RunPrinter();
// The service if a key is set, otherwise a local emulator.
const connection = await connect();
const chat = createDiceAgent(connection).session();
printer.note(connection.description);

const question = process.argv.slice(2).join(" ");
if (question === "") await converse();
else await answer(question);
await connection[Symbol.asyncDispose]();

async function converse(): Promise<void> {
  printer.note("Try “Roll 3 dice.” Ctrl-D ends the chat.");
  const { stdin: input, stdout: output } = process;
  const terminal = createInterface({ input, output, prompt: input.isTTY ? "> " : "" });
  let isOpen = true;
  terminal.once("close", () => (isOpen = false)).once("SIGINT", () => process.exit(130));
  terminal.prompt();
  for await (const line of terminal) {
    if (line.trim() !== "") await answer(line);
    if (isOpen) terminal.prompt();
  }
}

/** Prints the answer as it arrives. A failed answer doesn't end the program or the chat. */
async function answer(message: string): Promise<void> {
  const stream = chat.stream(message);
  try {
    for await (const event of stream) printer.print(event);
    printer.note(formatUsage((await stream.result()).usage));
  } catch (error) {
    printer.line(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
