// A call that needs approval. The run ends and is kept in a file; it is resumed later, in this or another process.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { connect } from "@pollux/cli";
import { Agent, type Approval, defineTool, type PendingCall } from "@pollux/core";
import { SqliteStore } from "@pollux/core/node";
import { z } from "zod";

const pay = defineTool({
  name: "pay_invoice",
  description: "Pays an invoice.",
  input: z.object({ invoice: z.string(), euros: z.number() }),
  needsApproval: true,
  effects: "once",
  run: ({ invoice, euros }) => ({ invoice, euros, state: "paid" }),
});

/** Asks at the terminal; without one, approves. */
async function ask({ call }: PendingCall): Promise<Approval> {
  const question = `May ${call.name} run with ${JSON.stringify(call.args)}? [Y/n] `;
  if (!process.stdin.isTTY) {
    console.log(`${question}(no terminal: yes)`);
    return true;
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(question);
  terminal.close();
  return /^n/i.test(answer.trim()) ? { deny: "the user said no" } : true;
}

await using connection = await connect();
const folder = await mkdtemp(join(tmpdir(), "pollux-approval-"));
const file = join(folder, "sessions.sqlite");
const agent = new Agent({ model: "gemini-flash-latest", endpoint: connection.endpoint, tools: [pay] });

{
  using store = new SqliteStore(file);
  const result = await agent
    .session({ id: "invoice-7", store })
    .send("Please pay the invoice number 7 over 120 euros.");
  console.log(`first process: ${result.stopReason}`);
}

{
  // Nothing remains in memory: everything is in the file.
  using store = new SqliteStore(file);
  const session = agent.session({ id: "invoice-7", store });
  const { pending } = await session.state();
  const approvals: Record<string, Approval> = {};
  for (const one of pending) approvals[one.token] = await ask(one);
  const result = await session.resume({ approvals });
  console.log(`second process: ${result.stopReason}: ${result.text}`);
}

await rm(folder, { recursive: true });
