import { drawBaseline, GOOD, judgeAgent } from "/work/w/runner/packages/evals/test/planted/support-agent.ts";
for (let i=0;i<3;i++) await drawBaseline("b"+i);
let c=process.cpuUsage(); let t=performance.now();
const b = await drawBaseline("x");
for (let i=0;i<3;i++) await drawBaseline("c"+i);
let d=process.cpuUsage(c); console.log("4 baselines", performance.now()-t, (d.user+d.system)/1000);
c=process.cpuUsage(); t=performance.now();
for (let i=0;i<8;i++) await judgeAgent(GOOD, b, "r"+i, "passed");
d=process.cpuUsage(c); console.log("8 runs", performance.now()-t, (d.user+d.system)/1000);
