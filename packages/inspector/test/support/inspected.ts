import { Agent, type AgentOptions, endpoint, gemini, type Json, MemoryStore } from "@pollux/core";
import { keepExchanges } from "@pollux/core/exchanges";
import { type Brain, createEmulator, type Emulator } from "@pollux/emulator";
import { inspectorHandler, type InspectorOptions } from "../../src/server/inspector-handler.ts";
import { add, fail, pay } from "./sessions.ts";

/** The inspector's API as its page uses it. */
export interface Inspected {
  view<T>(name: string, query?: { readonly [name: string]: string }, id?: string): Promise<T>;
  act<T>(action: string, body: Json, id?: string): Promise<T>;
}

/** The inspector of a store. A refusal rejects with its code and message. */
export function inspect(options: Omit<InspectorOptions, "authorize">): Inspected {
  const handler = inspectorHandler({ ...options, authorize: () => true });
  const ask = async (path: string, init?: RequestInit): Promise<never> => {
    const response = await handler(new Request(`http://localhost/inspector/api/sessions/${path}`, init));
    const value = (await response.json()) as { readonly error?: { readonly code: string; readonly message: string } };
    if (!response.ok) throw new Error(`${response.status} ${value.error?.code}: ${value.error?.message}`);
    return value as never;
  };
  return {
    view: (name, query = {}, id = "chat-1") => ask(`${id}/${name}?${new URLSearchParams(query)}`),
    act: (action, body, id = "chat-1") =>
      ask(`${id}/${action}`, {
        method: "POST",
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" },
      }),
  };
}

/** A session whose requests went to the emulator and were kept. */
export interface KeptSession {
  readonly store: MemoryStore;
  readonly exchanges: MemoryStore;
  readonly emulator: Emulator;
  readonly agent: Agent;
  /** The same agent with other options, at the same service. */
  readonly changed: (options: Partial<AgentOptions>) => Agent;
}

/** Sends one message to an agent with tools that add, fail and pay, and keeps its exchanges. */
export async function keptSession(
  brain: Brain,
  message: string,
  options: Partial<AgentOptions> & { readonly model?: never } = {},
): Promise<KeptSession> {
  const [store, exchanges] = [new MemoryStore(), new MemoryStore()];
  const keeper = keepExchanges(exchanges);
  const emulator = createEmulator({ brain });
  const changed = (changes: Partial<AgentOptions>, observers: AgentOptions["observers"] = []): Agent =>
    new Agent({
      model: gemini("gemini-3.5-flash", {
        endpoint: endpoint({ baseUrl: "https://generativelanguage.googleapis.com", apiKey: "emulator-key" }),
        fetch: (input, init) => emulator.fetch(input, init),
      }),
      name: "helper",
      instructions: "You calculate.",
      tools: [add, fail, pay],
      observers,
      ...options,
      ...changes,
    });
  const agent = changed({}, [keeper]);
  await agent.session({ id: "chat-1", store }).send(message);
  await keeper.flush();
  return { store, exchanges, emulator, agent, changed: (changes) => changed(changes) };
}
