import { Agent } from "@pollux/core";
import { say, ScriptedModel } from "@pollux/core/testing";
import { agentsClient } from "@pollux/restate";
import { startRestate } from "./support/restate-server.ts";
import { startWorker } from "./support/start-worker.ts";
process.on("warning", (w) => console.log("WARN", w.message));
const server = await startRestate();
const many = (text: string) => new ScriptedModel(...Array.from({ length: 100 }, () => say(text)));
const worker = await startWorker(server, [new Agent({ name: "a", model: many("hi") })], process.env["LOG"] ? { logger: { ...console, trace() {}, child() { return this } } as never } : {});
const client = agentsClient({ ingress: server.ingress, retryForMs: 500 });
const ids = ["a/b", "a b", "ü💥", "a?b#c", "a%2Fb", "service-desk", ".", "..", "", "x".repeat(2000), "x".repeat(20000), "\n", "\ud800", "a\u0000b", ":", "+"];
for (const runId of ids) {
  const label = JSON.stringify(runId).slice(0, 30);
  try {
    const run = await client.start("a", "x", { runId });
    const report = await run.result({ signal: AbortSignal.timeout(5000) });
    let n = 0; for await (const _ of run.events({ signal: AbortSignal.timeout(5000) })) n++;
    console.log(label, report.status, report.runId === runId, "events", n, (await run.state())?.status);
  } catch (error) { const e = error as Error & { code: unknown }; console.log(label, "THREW", e.name, e.code, e.message.slice(0, 200)); }
}
try { await client.start("a", [{ role: "user", parts: [{ text: "x", n: 1n } as never] }]); } catch (e) { console.log("bigint", String(e)); }
for (const runId of ["service-nope", "nope"]) try { await client.run("a", runId).result(); } catch (e) { console.log(runId, String(e)); }
console.log("inf", JSON.stringify(await (await client.start("a", "x", { limits: { turns: Infinity } })).result()).slice(0, 200));
for (const mb of [10, 17]) {
  const t = Date.now();
  try {
    const run = await client.start("a", [{ role: "user", parts: [{ inlineData: { mimeType: "image/png", data: "A".repeat(mb * 2 ** 20) } }, { text: "x" }] }], { runId: `big${mb}` });
    const report = await run.result({ signal: AbortSignal.timeout(12000) });
    console.log(mb, report.status, JSON.stringify(report).length, Date.now() - t);
  } catch (e) {
    console.log(mb, "THREW", String(e).slice(0, 300), Date.now() - t);
    console.log(JSON.stringify(await server.query("select target, status, retry_count, last_failure from sys_invocation where status != 'completed'")).slice(0, 1000));
  }
}
await worker.close(); await server.stop();
