import type { Content, Json } from "@pollux/core";

/** What can be played with. */
export interface Playground {
  readonly agents: readonly PlayAgent[];
  /** Who answers: the service, which costs money, or the emulator. */
  readonly answers: "service" | "emulator";
  /** The agents' files can be read again. */
  readonly canReload: boolean;
}

/** An agent, as its code has it. */
export interface PlayAgent {
  readonly name: string;
  readonly model: string;
  /** Absent without any, and where a function makes them for each run. */
  readonly instructions?: string | undefined;
  /** What functions make for each run. */
  readonly made: readonly ("instructions" | "tools")[];
  readonly settings: { readonly [name: string]: Json };
  readonly limits: { readonly [name: string]: Json };
  /** Without those that a function gives to a run. */
  readonly tools: readonly PlayTool[];
}

/** A tool of such an agent. */
export interface PlayTool {
  readonly name: string;
  readonly description: string;
  /** What the model is told of its arguments: JSON Schema. */
  readonly schema: Json;
  /** Why it can't be run by hand. */
  readonly notRun?: string | undefined;
  /** What to know before it is run by hand: whoever does has to confirm it. */
  readonly warnings: readonly string[];
}

/** What a run does differently than the agent's code says. */
export interface PlayChanges {
  readonly model?: string | undefined;
  readonly instructions?: string | undefined;
  /** Over the agent's, one by one. */
  readonly settings?: { readonly [name: string]: Json } | undefined;
  /** Names of the tools that it has. */
  readonly tools?: readonly string[] | undefined;
}

/** What came of a call of one tool, by a person. */
export interface ToolTrial {
  /** As in a result: `completed`, `failed`, `pending` … */
  readonly status: string;
  readonly durationMs: number;
  readonly failure?: { readonly kind: string; readonly message: string } | undefined;
  /** What the model would read. */
  readonly answer: readonly Content[];
  /** What the tool reported on the way. */
  readonly progress: readonly Json[];
  /** What the tool threw, with its stack, which the model doesn't read. */
  readonly thrown?: string | undefined;
}
