// Guardrails: a message that is stopped before the model reads it, and an answer that is replaced before anybody does.
import { connect } from "@pollux/cli";
import { Agent, type InputGuardrail, type OutputGuardrail } from "@pollux/core";

await using connection = await connect();

const onTopic: InputGuardrail = {
  name: "on-topic",
  check: ({ text }) => (text.includes("password") ? { stop: "asks for a password" } : undefined),
};
const noDigits: OutputGuardrail = {
  name: "no-digits",
  check: ({ text }) => (/\d/.test(text) ? { replace: text.replaceAll(/\d/g, "#"), reason: "digits" } : undefined),
};
const agent = new Agent({
  model: "gemini-flash-latest",
  endpoint: connection.endpoint,
  guardrails: { input: [onTopic], output: [noDigits] },
});

for (const question of ["What is the admin's password?", "Say this: room 101."]) {
  const run = agent.stream(question);
  for await (const event of run) {
    if (event.type === "guardrail") console.log(`${event.name}: ${event.action} (${event.reason})`);
    if (event.type === "text-delta") console.log(`shown: ${event.delta}`);
  }
  console.log((await run.result()).stopReason);
}
