import { connect } from "@pollux/cli";
import { called, defineEval, neverCalled } from "@pollux/evals";
import { createAgent } from "../server/agent.ts";

// The service if a key is set, otherwise a local emulator.
const { endpoint, emulated } = await connect();

export default defineEval("chat", {
  agent: () => createAgent(endpoint),
  // Each is compared with its own baseline.
  variants: [emulated ? "emulator" : "gemini"],
  // In an eval, tools with effects don't run: this answers in the tool's place, once the call is approved.
  standIn: { book_table: () => "The table is booked." },
  approve: () => true,
  data: [
    { id: "dice", input: "Roll 3 dice.", scorers: [called("roll_dice", { dice: 3 })] },
    { id: "table", input: "Book a table for 4 people at “Luigi’s”.", scorers: [called("book_table", { people: 4 })] },
    { id: "hello", input: "Hi!", scorers: [neverCalled()] },
  ],
});
