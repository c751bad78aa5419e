import { Agent, defineJob } from "@pollux/core";
import { call, say, ScriptedModel } from "@pollux/core/testing";

/** An agent that starts a job; its first check fails. `make` creates it for each worker, `seen` records what they all did. */
export function lab(
  name: string,
  options: { readonly isOver?: (checks: number) => boolean; readonly timeoutMs?: number } = {},
) {
  const seen: string[] = [];
  const make = (): Agent =>
    new Agent({
      name,
      model: new ScriptedModel(
        ...Array.from({ length: 4 }, () => ({ contents }: ScriptedModel["requests"][number]) => {
          const last = contents.at(-1)?.parts[0]?.functionResponse?.response;
          return last === undefined ? call("research") : say(JSON.stringify(last));
        }),
      ),
      tools: [
        defineJob({
          name: "research",
          description: "Researches.",
          checkEveryMs: 50,
          timeoutMs: options.timeoutMs,
          start: () => {
            seen.push("start");
            return "job-1";
          },
          check: (jobId) => {
            seen.push(`check ${jobId}`);
            const checks = seen.filter((one) => one.startsWith("check")).length;
            if (checks === 1) throw new Error("down");
            return options.isOver?.(checks) === true ? { output: "found" } : undefined;
          },
          cancel: (jobId) => void seen.push(`cancel ${jobId}`),
        }),
      ],
    });
  return { seen, make };
}

/** An agent whose first job asks a person about a plan, and whose second job returns a result. `seen`: the arguments of each start. */
export function planner() {
  const seen: unknown[] = [];
  const make = (): Agent =>
    new Agent({
      name: "planner",
      model: new ScriptedModel(
        ...Array.from({ length: 4 }, () => ({ contents }: ScriptedModel["requests"][number]) => {
          const last = contents.at(-1)?.parts[0]?.functionResponse ?? contents.at(-2)?.parts[0]?.functionResponse;
          return last === undefined ? call("research", { question: "Why?" }) : say(JSON.stringify(last.response));
        }),
      ),
      tools: [
        defineJob({
          name: "research",
          description: "Researches.",
          input: { type: "object" },
          checkEveryMs: 50,
          start: (input, { before }) => {
            seen.push(input);
            return before === undefined ? "plan" : "job";
          },
          check: (jobId) => (jobId === "plan" ? { ask: { plan: "1. Search." } } : { output: "found" }),
        }),
      ],
    });
  return { seen, make };
}
