import { ConfigurationError } from "../errors/agent-error.ts";
import type { Handover, LoopInput } from "../loop/loop-input.ts";
import type { RunState } from "../loop/run-state.ts";
import type { AnyTool, Tool } from "../tool/tool.ts";
import { listTools } from "./agent-head.ts";
import type { AgentOptions, AnyRunOptions } from "./options.ts";

/** A run as the agent that took it over continues it. */
export interface TakenOver {
  readonly input: LoopInput;
  /** Its tools as given. */
  readonly listed: readonly AnyTool[];
}

/** Makes the runs of an agent. */
export interface Follower<Self> {
  readonly name: string;
  readonly options: AgentOptions;
  /** The same agent as it continues another agent's runs. */
  following(first: AgentOptions): Self;
  /** The input with which this agent continues another agent's run. @param options - The run's. */
  takeOver(run: LoopInput, options: AnyRunOptions, state: RunState): Promise<TakenOver>;
}

/** The agents that may take over an agent's runs: the targets of its handoffs, their targets, and so on. */
export class Followers<Runs extends Follower<Runs>> {
  readonly #first: Runs;
  readonly #known: Map<string, { readonly agent: Runs; readonly following: Runs }> = new Map();
  /** The run of each agent that has led it, by name. */
  readonly #taken: Map<string, TakenOver> = new Map();

  /**
   * @param begun - The run that may be taken over, as the first agent began it.
   * @param others - Agents that no handoff reaches.
   */
  constructor(first: Runs, begun?: TakenOver, others: readonly Runs[] = []) {
    this.#first = first;
    for (const one of others) this.#add(one, new Set());
    if (begun !== undefined) this.#taken.set(first.name, begun);
  }

  /** @returns Undefined for an unknown name, and for the first agent itself. */
  find(name: string): Runs | undefined {
    if (name === this.#first.name) return undefined;
    if (!this.#known.has(name)) this.#addFrom(listTools(this.#first.options, undefined), new Set());
    return this.#known.get(name)?.following;
  }

  /** @returns Undefined for an unknown name. */
  async takeOver(
    { from = this.#first.name, to, tool }: Handover,
    options: AnyRunOptions,
    state: RunState,
  ): Promise<LoopInput | undefined> {
    const taken = this.#taken;
    for (const { listed } of taken.values()) this.#addFrom(listed, new Set());
    const begun = taken.get(this.#first.name);
    // The caller chose these for the agent that began the run.
    const kept = { ...options, instructions: undefined, tools: undefined, toolChoice: undefined, settings: undefined };
    const next = taken.get(to) ?? (begun && (await this.find(to)?.takeOver(begun.input, kept, state)));
    if (next === undefined) return undefined;
    taken.set(to, next);
    const giver = taken.get(from)?.listed ?? listTools(this.find(from)?.options ?? {}, undefined);
    const called = giver.find((one): one is Tool => one.kind === "function" && one.name === tool);
    return { ...next.input, filter: called?.handoff?.filter };
  }

  /** @param seen - Names of the agents whose tools were read. */
  #addFrom(tools: readonly AnyTool[], seen: Set<string>): void {
    for (const tool of tools) {
      // `handoff()` only takes agents, whose runs have this type.
      if (tool.kind === "function" && tool.handoff !== undefined) this.#add(tool.handoff.to() as Runs, seen);
    }
  }

  #add(next: Runs, seen: Set<string>): void {
    const { name, options } = next;
    if (name === this.#first.name) return;
    const known = this.#known.get(name);
    if (known === undefined) this.#known.set(name, { agent: next, following: next.following(this.#first.options) });
    else if (known.agent !== next)
      throw new ConfigurationError(
        `two agents with the name "${name}" can take over, and sessions tell agents apart by name: rename one.`,
      );
    if (seen.has(name)) return;
    seen.add(name);
    this.#addFrom(listTools(options, undefined), seen);
  }
}
