import { writeFile } from "node:fs/promises";
import {
  AgentError,
  type AnyTool,
  type PriceTable,
  type RunStream,
  type Session,
  type SessionState,
} from "@pollux/core";
import { RunReleasedError } from "@pollux/core/errors";
import { errorMessage } from "../command.ts";
import { formatUsage, type RunPrinter } from "../run-printer.ts";
import { inOneLine, printable } from "../terminal-text.ts";
import type { ChatInput } from "./chat-input.ts";

/** A chat session with its input, output and tools. */
export interface Conversation {
  readonly session: Session;
  readonly tools: readonly AnyTool[];
  readonly printer: RunPrinter;
  readonly input: ChatInput;
  readonly prices: PriceTable | undefined;
}

const COMMANDS = `/help         this list
/tools        the tools that the agent can call
/usage        tokens so far
/history      the conversation so far
/save FILE    save the conversation as JSON, as sent to the API
/exit         end the chat (also Ctrl-D)
Ctrl-C        stop the current answer; the chat continues
What you type during an answer is sent with the next request.`;

/** Runs the chat until the user ends it. */
export async function converse(conversation: Conversation): Promise<void> {
  const { session, printer, input } = conversation;
  await welcome(conversation);
  for await (const line of input.lines()) {
    const message = line.trim();
    if (/^(?:exit|quit)$/i.test(message)) break;
    if (message.startsWith("/")) {
      if (await runCommand(message, conversation)) break;
    } else if (message !== "") {
      await answer((signal) => session.stream(message, { signal }), conversation);
    }
  }
  printer.note(`\n${formatSpent(await session.state(), conversation)}`);
}

function formatSpent(state: SessionState, { prices }: Pick<Conversation, "prices">): string {
  if (prices === undefined) return formatUsage(state.usage, {});
  const { usage, unpriced } = state;
  return unpriced === undefined
    ? formatUsage(usage, state)
    : `${formatUsage(usage, {})}; cost unknown: ${printable(unpriced)} has no price`;
}

/**
 * Prints the state of the conversation, and continues an answer that was cut off, that another process writes, or whose
 * jobs are done.
 */
async function welcome(conversation: Conversation): Promise<void> {
  const { session, printer } = conversation;
  const { runs, lastRun, resumable, pending } = await session.state();
  if (lastRun === undefined) return;
  printer.note(`${session.id} resumed after ${runs} ${runs === 1 ? "message" : "messages"}; /history shows them`);
  const jobs = pending.filter(({ question }) => question === "job");
  for (const { call, job } of jobs)
    printer.note(`waiting for ${inOneLine(call.name, 100)}, started ${timeOf(job?.since)}; a message ends the wait`);
  if (lastRun === "running") printer.note("another process is answering; waiting for it");
  else if (!resumable) return;
  else if (lastRun === "cut-off") printer.note("the last answer was cut off; resuming it");
  // Continues if all calls wait for jobs: an outcome may have arrived, or a check may find one.
  else if (lastRun !== "needs-outcome" || jobs.length < pending.length) return;
  await answer((signal) => session.continueStream({ signal }), conversation);
}

function timeOf(since: number | undefined): string {
  return since === undefined ? "elsewhere" : `at ${new Date(since).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/**
 * Prints an answer. What the user types meanwhile is sent with the next request; input that comes too late is answered
 * afterward.
 */
async function answer(start: (signal: AbortSignal) => RunStream, conversation: Conversation): Promise<void> {
  const { session, input } = conversation;
  const steered: Promise<"run" | "next-run">[] = [];
  const signal = input.begin(async (text) => {
    steered.push(session.steer(text));
    await steered.at(-1);
  });
  await print(start(signal), conversation);
  const outcomes = await Promise.allSettled(steered);
  if (!input.wasStopped && outcomes.some((one) => one.status === "fulfilled" && one.value === "next-run"))
    await answer((next) => session.continueStream({ signal: next }), conversation);
}

async function print(stream: RunStream, { printer, input }: Conversation): Promise<void> {
  try {
    printer.line("");
    for await (const event of stream) printer.print(event);
    const result = await stream.result();
    printer.endLine();
    printer.sources(result);
    if (result.stopReason !== "finished") printer.note(`(ended: ${result.stopReason})`);
    printer.line("");
  } catch (error) {
    printer.endLine();
    if (error instanceof RunReleasedError)
      printer.note("(the chat ends here; continue it under its name to get the rest of the answer)");
    else if (input.wasStopped) printer.note("(stopped; the conversation continues)");
    else if (error instanceof AgentError) printer.line(`${error.name}: ${printable(error.message)}`);
    else throw error;
  } finally {
    input.end();
  }
}

/** Runs a command; returns true if it ends the chat. */
async function runCommand(line: string, { session, tools, printer, prices }: Conversation): Promise<boolean> {
  const [name = "", ...rest] = line.split(/\s+/);
  switch (name) {
    case "/exit":
    case "/quit":
      return true;
    case "/help":
      printer.line(COMMANDS);
      return false;
    case "/tools":
      for (const tool of tools)
        printer.line(
          `${printable(tool.name)}  ${printer.dim("description" in tool ? printable(tool.description) : "built in")}`,
        );
      printer.line(`googleSearch  ${printer.dim("the web, by Google Search")}`);
      return false;
    case "/usage":
      printer.line(formatSpent(await session.state(), { prices }));
      return false;
    case "/history":
      for (const { role, parts } of await session.history()) {
        const text = parts.flatMap((part) => (part.thought === true ? [] : [part.text ?? ""])).join("");
        if (text === "") continue;
        if (role === "model") printer.print({ type: "text-delta", turn: 0, delta: text });
        else printer.line(`${printer.dim(">")} ${printable(text)}`);
        printer.line("");
      }
      return false;
    case "/save":
      printer.line(await save(rest.join(" "), session));
      return false;
    default:
      printer.line(`unknown command ${printable(name)}; /help lists the commands`);
      return false;
  }
}

async function save(file: string, session: Session): Promise<string> {
  if (file === "") return "usage: /save FILE";
  const history = await session.history();
  try {
    await writeFile(file, `${JSON.stringify(history, null, 2)}\n`, { flag: "wx" });
    return `saved ${history.length} contents to ${file}`;
  } catch (error) {
    const exists = error instanceof Error && "code" in error && error.code === "EEXIST";
    return exists ? `${file} already exists; choose another name` : `not saved: ${errorMessage(error)}`;
  }
}
