// A worker of a Restate server: PORT=9081 node restate-worker.ts
import { register, serveAgents } from "@pollux/restate";
import { planner } from "./agents.ts";

const { PORT = "9080", RESTATE_INGRESS, RESTATE_ADMIN, WORKERS } = process.env;
const worker = serveAgents({ agents: [planner], ingress: RESTATE_INGRESS });
const { url, port } = await worker.listen({ port: Number(PORT) });
// With several workers, the shared address at which they are reached.
await register({ admin: RESTATE_ADMIN, uri: WORKERS ?? url });
console.log(`ready on ${port}`);

process.once("SIGTERM", () => void worker.close().then(() => process.exit()));
