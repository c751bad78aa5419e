// Prints the traces that programs on this machine send: `npm run traces`, and then
// OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 for the program.
import { once } from "node:events";
import { startReceiver } from "./receiver.ts";

await using receiver = await startReceiver(Number(process.env["PORT"] ?? 4318), (tree) => console.log(`${tree}\n`));
console.log(`Waiting for traces. In the environment of your program: OTEL_EXPORTER_OTLP_ENDPOINT=${receiver.url}\n`);
await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
