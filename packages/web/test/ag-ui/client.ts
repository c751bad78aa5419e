import { HttpAgent, type Interrupt, type RunAgentInput } from "@ag-ui/client";
import { EventSchema } from "@ag-ui/core/schemas";
import type { Conversation, Message } from "@pollux/core/conversation";
import { AgUiEncoder, type AgUiEvent, type AgUiMessage, toAgUiMessages } from "@pollux/web/ag-ui";
import { expect, vi } from "vitest";
import { type Shows, WITH_CHANGES } from "../ai-sdk/play.ts";

/** How a run ended, as the client's own code understands it. */
export interface ClientEnd {
  readonly outcome: "success" | "interrupt" | "cancelled" | "error";
  readonly pendingToolCallIds?: readonly string[];
  readonly interrupts?: readonly Interrupt[];
  readonly error?: { readonly message: string; readonly code?: string | undefined };
}

/** A client of AG-UI: the protocol's own, which throws if the order of events is wrong. */
export class Client {
  readonly agent: HttpAgent;
  /** All that it was sent, each checked by the protocol's own schema. */
  readonly events: AgUiEvent[] = [];
  readonly #respond: (init: RequestInit) => Promise<Response>;

  constructor(respond: (init: RequestInit) => Promise<Response>, threadId: string = "s") {
    this.#respond = respond;
    this.agent = new HttpAgent({
      url: "http://localhost/api/chat",
      threadId,
      fetch: async (_url, init) => await this.#respond(init),
    });
  }

  /** Runs the agent on what is in its messages. */
  async run(
    options: Partial<Pick<RunAgentInput, "resume" | "tools" | "runId">> = {},
    onEvent: (event: AgUiEvent) => void = () => {},
  ): Promise<ClientEnd> {
    const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
    let end: ClientEnd | undefined;
    try {
      await this.agent.runAgent(options, {
        onEvent: ({ event }) => {
          const sent = event as unknown as AgUiEvent;
          expectValid(sent);
          this.events.push(sent);
          onEvent(sent);
        },
        onRunFinishedEvent: ({
          event: _event,
          messages: _,
          state: _state,
          agent: _agent,
          input: _input,
          ...params
        }) => {
          end = params;
        },
        onRunErrorEvent: ({ event: { message, code } }) => {
          end = { outcome: "error", error: { message, code } };
        },
      });
      // The client warns of whatever it has to leave out.
      expectNone(warned.mock.calls);
    } finally {
      warned.mockRestore();
    }
    if (end === undefined) throw new Error("the run has no end");
    return end;
  }

  /** Its messages, comparable with those that it would load. */
  get messages(): readonly AgUiMessage[] {
    return settled(this.agent.messages as unknown as readonly AgUiMessage[]);
  }
}

function expectValid(event: AgUiEvent): void {
  const { success, error } = EventSchema.safeParse(event);
  expect(success, `${JSON.stringify(event)}: ${error?.message}`).toBe(true);
}

function expectNone(warnings: readonly unknown[]): void {
  expect(warnings).toEqual([]);
}

/** A client that is sent what encoders say. */
export class Follower extends Client {
  #events: readonly AgUiEvent[] = [];

  constructor() {
    super(async () => new Response(this.#events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(""), SSE));
  }

  async follow(events: readonly AgUiEvent[]): Promise<ClientEnd> {
    this.#events = events;
    // It does not run on while something waits.
    const resume = this.agent.pendingInterrupts.map(({ id }) => ({ interruptId: id, status: "cancelled" as const }));
    return await this.run(resume.length > 0 ? { resume } : {});
  }
}

const SSE = { headers: { "content-type": "text/event-stream" } };

/** The events of one response, that follows a message through some of its states. */
export function encode(
  states: readonly (readonly [Message, Conversation])[],
  known?: Message,
  shows: Shows = WITH_CHANGES,
): readonly AgUiEvent[] {
  const encoder = new AgUiEncoder({ known });
  const events = states.flatMap(([message, conversation]) => [
    ...encoder.show(message, conversation, shows(conversation)),
  ]);
  const [, last] = states.at(-1) ?? [];
  return last === undefined ? events : [...events, ...encoder.finish(last)];
}

/** The messages that a client loads. */
export function loaded(conversation: Conversation): readonly AgUiMessage[] {
  // As they arrive.
  return settled(JSON.parse(JSON.stringify(toAgUiMessages(conversation))) as readonly AgUiMessage[]);
}

/** Results of parallel calls stand in the order in which they came, and a thought that was taken back is an empty one. */
function settled(messages: readonly AgUiMessage[]): readonly AgUiMessage[] {
  const order = messages.flatMap((message) =>
    message.role === "assistant" ? (message.toolCalls ?? []).map(({ id }) => id) : [],
  );
  const sorted: AgUiMessage[] = [];
  for (const message of messages) {
    if (message.role === "reasoning" && message.content === "") continue;
    let at = sorted.length;
    if (message.role === "tool") {
      const place = order.indexOf(message.toolCallId);
      for (; at > 0; at--) {
        const before = sorted[at - 1];
        if (before?.role !== "tool" || order.indexOf(before.toolCallId) < place) break;
      }
    }
    sorted.splice(at, 0, message);
  }
  return sorted;
}
