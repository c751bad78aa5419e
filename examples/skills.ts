// Skills: an agent that has the names of two skills, reads one when it needs it, and runs its script only if a person agrees.
import { fileURLToPath } from "node:url";
import { connect } from "@pollux/cli";
import { Agent, MemoryStore } from "@pollux/core";
import { call, calls, say, script } from "@pollux/emulator";
import { type ShellOutput, shellTool } from "@pollux/tools/shell";
import { changedSkills, loadSkills } from "@pollux/tools/skills";

const total = "sh expense-policy/scripts/total.sh expense-policy/assets/march.csv";
// Without a key, these are the answers.
const brain = script([
  call("use_skill", { name: "release-notes" }),
  call("use_skill", { name: "release-notes", file: "references/words.md" }),
  say("**New**\n\n- You can export a workspace as one file (#41)\n\n2.4, 3 March"),
  calls(
    { name: "use_skill", args: { name: "expense-policy" } },
    { name: "use_skill", args: { name: "expense-policy", file: "references/hotels.md" } },
  ),
  call("run_command", { command: total }),
  say("All 325.40 are paid back: the hotel in Oslo is below its limit of 190 a night."),
]);
await using connection = await connect(process.env, { brain });

const folder = fileURLToPath(new URL("skills", import.meta.url));
const skills = await loadSkills(folder, { reads: "trusted" }); // they stand in this repository, reviewed like code
const agent = new Agent({
  model: "gemini-flash-latest",
  endpoint: connection.endpoint,
  instructions: `You help the office. The skills are in the folder where your commands start.\n\n${skills.instructions}`,
  tools: [skills.tool, shellTool({ cwd: folder })],
  approve: ({ call: { name, args } }) => {
    console.log(`may it ${name}? ${JSON.stringify(args)}: yes`);
    return true;
  },
});

const store = new MemoryStore();
const chat = agent.session({ id: "office", store });
for (const question of [
  "Write the notes of 2.4, 3 March: #41 workspaces can be downloaded as one file, #44 the build is faster.",
  `Add up my receipts in expense-policy/assets/march.csv, a trip to Oslo. What is paid back?`,
]) {
  console.log(`\n${question}`);
  const stream = chat.stream(question);
  for await (const event of stream) {
    if (event.type === "tool-end") console.log(event.call.name, event.call.args);
    // Only the shell reports progress.
    if (event.type === "tool-progress") console.log(`printed: ${(event.progress as ShellOutput).text.trim()}`);
  }
  console.log((await stream.result()).text);
}

const changed = await changedSkills(await store.load("office"), skills);
console.log(
  `\nchanged since they were read: ${changed.length === 0 ? "none" : changed.map(({ change }) => change).join("; ")}`,
);
