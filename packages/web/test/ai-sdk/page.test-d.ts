import type { InferUIMessage, InferUITools, UIMessageData, UIMessageMetadata } from "@pollux/web/ai-sdk";
import { Agent, defineTool, googleSearch } from "@pollux/core";
import { ScriptedModel } from "@pollux/core/testing";
import type { AbstractChat as Chat6, UIMessage as UIMessage6 } from "ai-v6";
import type { AbstractChat as Chat7, UIMessage as UIMessage7 } from "ai";
import { expectTypeOf, test } from "vitest";
import { z } from "zod";

const model = new ScriptedModel();
const refund = defineTool({
  name: "refund",
  description: "Refunds an order.",
  input: z.object({ order: z.string(), euros: z.number().default(0) }),
  needsApproval: true,
  approvedBy: "user",
  run: ({ order }) => ({ order, isDone: true }),
});
const position = defineTool({
  name: "position",
  description: "Asks the page.",
  input: z.object({ exact: z.boolean() }),
});
const writer = new Agent({ model }).asTool({ name: "writer", description: "Writes." });
const judge = new Agent({ model }).asTool({
  name: "judge",
  description: "Judges.",
  output: z.object({ score: z.number() }),
});
const agent = new Agent({ model, tools: [refund, position, writer, judge, googleSearch()] });

type Message = InferUIMessage<typeof agent>;

/** What a page does with a message; each mistake in it does not compile. */
function show({ parts, metadata }: Message): unknown[] {
  expectTypeOf(metadata?.pending?.[0]?.question).toEqualTypeOf<
    "approval" | "outcome" | "unknown-outcome" | "job" | undefined
  >();
  // @ts-expect-error -- there is no such metadata
  expectTypeOf(metadata?.price);
  return parts.map((part) => {
    switch (part.type) {
      case "tool-refund":
        if (part.state === "approval-requested") {
          expectTypeOf(part.input).toEqualTypeOf<{ order: string; euros?: number | undefined }>();
          return part.approval.id;
        }
        // @ts-expect-error -- there is no such state
        if (part.state === "approved") return part;
        // @ts-expect-error -- only an output has one
        if (part.state === "input-available") return part.output;
        if (part.state === "output-denied") return part.approval.reason;
        return part.state === "output-available" ? part.output.isDone : part.state;
      case "tool-position":
        if (part.state === "output-available") expectTypeOf(part.output).toEqualTypeOf<unknown>();
        return part.state === "input-available" ? part.input.exact : undefined;
      case "tool-writer":
        return part.state === "output-available" ? part.output.length : undefined;
      case "tool-judge":
        if (part.state !== "output-available") return undefined;
        // @ts-expect-error -- no member of the output's schema
        return [part.output.score, part.output.points];
      // @ts-expect-error -- the agent has no such tool
      case "tool-refunds":
        return undefined;
      // @ts-expect-error -- there is no such data part
      case "data-stop":
        return undefined;
      case "data-interruption":
        // @ts-expect-error -- no member of its data
        return [part.data.turn, part.data.turns];
      case "data-search-suggestions":
        return part.data.html;
      // @ts-expect-error -- a part of version 7 only
      case "steering-message":
        return undefined;
      default:
        return part.type;
    }
  });
}

test("a page's mistakes do not compile", () => {
  expectTypeOf(show).toBeCallableWith({ id: "m1", role: "assistant", parts: [{ type: "text", text: "Hi" }] });
  expectTypeOf<keyof InferUITools<typeof agent>>().toEqualTypeOf<"refund" | "position" | "writer" | "judge">();
});

test("a page knows the application's data parts, and what it says about its messages", () => {
  type Own = InferUIMessage<typeof agent, 7, { weather: { celsius: number } }, { mood: string }>;
  expectTypeOf<Extract<Own["parts"][number], { type: "data-weather" }>["data"]>().toEqualTypeOf<{ celsius: number }>();
  expectTypeOf<Extract<Own["parts"][number], { type: "data-wind" }>>().toBeNever();
  expectTypeOf<NonNullable<Own["metadata"]>["mood"]>().toEqualTypeOf<string | undefined>();
  expectTypeOf<Chat7<Own>["sendMessage"]>().toBeCallableWith({ text: "Hi", metadata: { mood: "good" } });
  // @ts-expect-error -- no such member
  expectTypeOf<Chat7<Own>["sendMessage"]>().toBeCallableWith({ text: "Hi", metadata: { mod: "good" } });
});

test("a page that answers calls of the agent's tools names them in the AI SDK's own type", () => {
  type Own6 = UIMessage6<UIMessageMetadata, UIMessageData, InferUITools<typeof agent>>;
  type Own7 = UIMessage7<UIMessageMetadata, UIMessageData, InferUITools<typeof agent>>;
  type Tool = "refund" | "position" | "writer" | "judge";
  expectTypeOf<Parameters<Chat6<Own6>["addToolOutput"]>[0]["tool"]>().toEqualTypeOf<Tool>();
  expectTypeOf<Parameters<Chat7<Own7>["addToolOutput"]>[0]["tool"]>().toEqualTypeOf<Tool>();
});
