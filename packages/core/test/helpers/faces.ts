import type { Agent, OutputOf, OutputSchema, RunEvent, RunInput, RunOptions, RunResult } from "@pollux/core";

/** The two ways to read a run. Every behavior of a run is tested through both. */
export interface Face {
  (agent: Agent, input: RunInput, options?: RunOptions): Promise<RunResult>;
}

/** Reads a run without looking at its events. */
export const run: Face = (agent, input, options) => agent.run(input, options);

/** Reads a run event by event. */
export const stream: Face = async (agent, input, options) => {
  const running = agent.stream(input, options);
  for await (const _ of running);
  return running.result();
};

/** For `describe.each`. */
export const faces: readonly (readonly [string, Face])[] = [
  ["run", run],
  ["stream", stream],
];

/** The same two ways for a run with typed output. */
export async function typed<Schema extends OutputSchema>(
  face: string,
  agent: Agent,
  input: RunInput,
  options: RunOptions<Schema>,
): Promise<RunResult<OutputOf<Schema>>> {
  if (face === "run") return agent.run(input, options);
  const running = agent.stream(input, options);
  for await (const _ of running);
  return running.result();
}

/** All events of a run, even of one that fails. */
export async function eventsOf(
  agent: Agent,
  input: RunInput,
  options?: RunOptions,
): Promise<{ events: RunEvent[]; result?: RunResult; error?: unknown }> {
  const events: RunEvent[] = [];
  const running = agent.stream(input, options);
  try {
    for await (const event of running) events.push(event);
    return { events, result: await running.result() };
  } catch (error) {
    return { events, error };
  }
}
