import type { Content, Json } from "@pollux/core";

/** The agents of the playground. */
export interface Playground {
  readonly agents: readonly PlayAgent[];
  /** Who answers: the service, which costs money, or the emulator. */
  readonly answers: "service" | "emulator";
  /** The inspector can reload the agents' files. */
  readonly canReload: boolean;
}

/** An agent as its code defines it. */
export interface PlayAgent {
  readonly name: string;
  readonly model: string;
  /** Absent without any, and if a function makes them for each run. */
  readonly instructions?: string | undefined;
  /** Options that functions make for each run. */
  readonly made: readonly ("instructions" | "tools")[];
  readonly settings: { readonly [name: string]: Json };
  readonly limits: { readonly [name: string]: Json };
  /** Without the tools that a function makes for a run. */
  readonly tools: readonly PlayTool[];
}

/** A tool of an agent. */
export interface PlayTool {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of its arguments, as the model reads it. */
  readonly schema: Json;
  /** Why it can't run by hand. */
  readonly notRun?: string | undefined;
  /** Warnings that the person has to confirm before it runs by hand. */
  readonly warnings: readonly string[];
}

/** How a run differs from the agent's code. */
export interface PlayChanges {
  readonly model?: string | undefined;
  readonly instructions?: string | undefined;
  /** Each replaces the agent's setting of the same name. */
  readonly settings?: { readonly [name: string]: Json } | undefined;
  /** Names of the tools to keep. */
  readonly tools?: readonly string[] | undefined;
}

/** The result of a tool that a person called by hand. */
export interface ToolTrial {
  /** As in a result: `completed`, `failed`, `pending` … */
  readonly status: string;
  readonly durationMs: number;
  readonly failure?: { readonly kind: string; readonly message: string } | undefined;
  /** The contents that the model would read. */
  readonly answer: readonly Content[];
  /** The tool's progress reports. */
  readonly progress: readonly Json[];
  /** The error that the tool threw, with its stack, which the model doesn't read. */
  readonly thrown?: string | undefined;
}
