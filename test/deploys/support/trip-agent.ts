import {
  Agent,
  type AgentOptions,
  type AnyTool,
  defineJob,
  defineTool,
  type Guardrails,
  type JsonObject,
  type PrepareTurn,
  type SessionStore,
} from "@pollux/core";
import { type ScriptLine, ScriptedModel, say } from "@pollux/core/testing";

/** The message that starts each run of these tests, and the one after the crash. */
export const MESSAGE = "Book the trip.";
export const NEXT_MESSAGE = "And now?";

/** The model's answer to the next message. */
export const ANSWER = "Fine.";

/** A schema of typed output, and a matching value. */
export const OUTPUT = { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] } as const;
export const OUTPUT_TEXT = '{"ok":true}';

/** Hooks of a process of these tests. */
export interface Site {
  /** Reports an event. */
  readonly tell: (moment: string) => void;
  /** Calls and checks that report their start and never end. */
  readonly hangs?: readonly string[] | undefined;
}

/** Hooks that do nothing. */
export const QUIET: Site = { tell: () => {} };

const INPUT = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] } as const;

/** Tools of the trip. `pay` may happen once, `book` needs approval, `ask` gets its answer from outside, `research` is a job. */
export function tripTools({ tell, hangs = [] }: Site, needApproval: readonly string[] = ["book"]): readonly AnyTool[] {
  const run =
    (verb: string, name: string) =>
    async (args: unknown): Promise<string> => {
      // The schema was checked.
      const { n } = args as { readonly n: number };
      tell(`${name} ${n} began`);
      if (hangs.includes(`${name} ${n}`)) await new Promise(() => {});
      return `${verb} ${n}`;
    };
  const effects = { look: "none", wait: "none", pay: "once", book: "idempotent" } as const;
  const verbs = { look: "seen", wait: "waited", pay: "paid", book: "booked" } as const;
  return [
    ...(["look", "wait", "pay", "book"] as const).map((name) =>
      defineTool({
        name,
        description: "Part of a trip.",
        effects: effects[name],
        reads: "trusted",
        needsApproval: needApproval.includes(name),
        input: INPUT,
        run: run(verbs[name], name),
      }),
    ),
    defineTool({ name: "ask", description: "Asks the traveller.", input: INPUT, reads: "trusted" }),
    tripJob({ tell, hangs }),
  ];
}

/** A job of the trip that reports its outcome. */
export function tripJob(
  { tell, hangs = [] }: Site,
  changes: Partial<Pick<Parameters<typeof defineJob>[0], "name" | "description" | "input" | "output">> = {},
): AnyTool {
  return defineJob({
    name: "research",
    description: "Looks into a part of the trip.",
    reads: "trusted",
    input: INPUT,
    ...changes,
    start: async (args) => {
      // The schema was checked.
      const { n } = args as { readonly n: number };
      tell(`research ${n} began`);
      if (hangs.includes(`research ${n}`)) await new Promise(() => {});
      return `job-${n}`;
    },
  });
}

/** Blocks answers with a secret. */
export function secretGuard({ tell, hangs = [] }: Site): Guardrails {
  return {
    output: [
      {
        name: "no secrets",
        check: async ({ text }) => {
          if (!text.includes("secret")) return undefined;
          tell("check began");
          if (hangs.includes("check")) await new Promise(() => {});
          return { stop: "a secret" };
        },
      },
    ],
  };
}

/** Stops before the next turn. */
export function preparing({ tell, hangs = [] }: Site): PrepareTurn {
  return async ({ turn }) => {
    if (!hangs.includes(`turn ${turn}`)) return;
    tell(`turn ${turn} began`);
    await new Promise(() => {});
  };
}

/** A model that always gives the same answer, as JSON if requested. */
export function tripModel(id: string, capabilities: JsonObject = {}): ScriptedModel {
  const line: ScriptLine = ({ output }) => say(output === undefined ? ANSWER : OUTPUT_TEXT);
  return ScriptedModel.with({ id, capabilities }, ...Array.from({ length: 40 }, () => line));
}

/** The trip's agent with its session. */
export function openTrip(options: AgentOptions, store: SessionStore, id: string): ReturnType<Agent["session"]> {
  return new Agent({ name: "trips", ...options }).session({ id, store });
}
