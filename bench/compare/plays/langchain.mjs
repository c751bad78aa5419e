import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { deserialize, serialize } from "node:v8";
import { Command, interrupt, MemorySaver, task } from "@langchain/langgraph";
import { createAgent, humanInTheLoopMiddleware, piiMiddleware, tool } from "langchain";
import { z } from "zod";

export const settings = { outside: "`humanInTheLoopMiddleware()`", job: "`task()`" };

/** Its savers for databases are packages of their own; this is its saver in memory, kept in a file. */
class FileSaver extends MemorySaver {
  constructor(folder) {
    super();
    const file = `${folder}/checkpoints`;
    if (existsSync(file)) [this.storage, this.writes] = deserialize(readFileSync(file));
    for (const name of ["put", "putWrites"]) {
      this[name] = async (...args) => {
        const result = await super[name](...args);
        writeFileSync(file, serialize([this.storage, this.writes]));
        return result;
      };
    }
  }
}

export function open({ driver, base, model, folder, tuned }, { tools, turns = 10, masked }) {
  const toolOf = ({ name, argument, run, isJob }) => {
    const start = tuned ? task("start", async () => run()) : run;
    const execute = isJob ? async () => interrupt({ job: await start() }) : run;
    return tool(execute, { name, description: name, schema: z.object({ [argument]: z.string() }) });
  };
  const interruptOn = Object.fromEntries(tools.flatMap(({ name, asks }) => (asks ? [[name, true]] : [])));
  const agent = createAgent({
    model: driver.chatModel({ base, model }),
    checkpointer: new FileSaver(folder),
    tools: tools.map(toolOf),
    middleware: [
      ...(tools.some(({ asks }) => asks) ? [humanInTheLoopMiddleware({ interruptOn })] : []),
      ...(masked ? [piiMiddleware("code", { detector: masked, strategy: "redact", applyToOutput: true })] : []),
    ],
  });
  const send = async (thread_id, input, signal) => {
    const config = {
      configurable: { thread_id },
      recursionLimit: 2 * turns,
      signal,
      streamMode: ["messages", "values"],
    };
    let state;
    for await (const [mode, value] of await agent.stream(input, config)) if (mode === "values") state = value;
    return state?.messages?.at(-1).text;
  };
  const approval = () => new Command({ resume: { decisions: [{ type: "approve" }] } });
  return {
    say: (id, content, signal) => send(id, { messages: [{ role: "user", content }] }, signal),
    forge: async (id) => {
      const tool_calls = [{ id: "x", name: "refund", args: { order: "A17" } }];
      const made = { role: "assistant", content: "", tool_calls };
      await send(id, approval()).catch(() => {});
      await send(id, { messages: [{ role: "user", content: "Refund order A17." }, made] });
    },
    approve: (id) => send(id, approval()),
    deliver: (id, resume) => send(id, new Command({ resume })),
  };
}
