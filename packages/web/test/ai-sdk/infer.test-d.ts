import type {
  InferUIMessage as InferUIMessageOf,
  InferUITools,
  UIMessageChunk,
  UIMessageData,
  UIMessageMetadata,
} from "@pollux/web/ai-sdk";
import { Agent, defineTool, googleSearch } from "@pollux/core";
import { ScriptedModel } from "@pollux/core/testing";
import type { AbstractChat as Chat5, UIMessage as UIMessage5 } from "ai-v5";
import type { AbstractChat as Chat6, UIMessage as UIMessage6 } from "ai-v6";
import type { AbstractChat as Chat7, UIMessage as UIMessage7, UIMessageChunk as UIMessageChunk7 } from "ai";
import { expectTypeOf, test } from "vitest";
import { z } from "zod";

const agent = new Agent({
  model: new ScriptedModel(),
  tools: [
    defineTool({
      name: "look_up",
      description: "Looks up.",
      input: z.object({ key: z.string() }),
      run: ({ key }) => ({ found: key.length }),
    }),
    defineTool({ name: "now", description: "The time.", run: () => "noon" }),
    googleSearch(),
  ],
});

type Message = InferUIMessageOf<typeof agent>;

test("the tools of an agent are typed by name", () => {
  expectTypeOf<keyof InferUITools<typeof agent>>().toEqualTypeOf<"look_up" | "now">();
  expectTypeOf<InferUITools<typeof agent>["look_up"]>().toEqualTypeOf<{
    input: { key: string };
    output: { readonly found: number };
  }>();
});

test("a part is narrowed by its type and state", () => {
  const message = {} as Message;
  for (const part of message.parts) {
    if (part.type === "tool-look_up" && part.state === "output-available") {
      expectTypeOf(part.input).toEqualTypeOf<{ key: string }>();
      expectTypeOf(part.output).toEqualTypeOf<{ readonly found: number }>();
    }
    if (part.type === "data-search-suggestions") expectTypeOf(part.data.html).toEqualTypeOf<string[]>();
    // @ts-expect-error The agent has no such tool.
    if (part.type === "tool-buy") throw new Error();
  }
  expectTypeOf(message.metadata?.cost).toEqualTypeOf<number | undefined>();
});

test("a message is one of the AI SDK's, in each version", () => {
  expectTypeOf<InferUIMessageOf<typeof agent, 5>>().toExtend<UIMessage5>();
  expectTypeOf<Message>().toExtend<UIMessage6>();
  expectTypeOf<InferUIMessageOf<typeof agent, 7>>().toExtend<UIMessage7>();
  type Types = [UIMessageMetadata, UIMessageData, InferUITools<typeof agent>];
  expectTypeOf<InferUIMessageOf<typeof agent, 5>>().toExtend<UIMessage5<Types[0], Types[1], Types[2]>>();
  expectTypeOf<Message>().toExtend<UIMessage6<Types[0], Types[1], Types[2]>>();
  expectTypeOf<InferUIMessageOf<typeof agent, 7>>().toExtend<UIMessage7<Types[0], Types[1], Types[2]>>();
});

test("a chat of the AI SDK takes the type", () => {
  type Role = Message["role"];
  expectTypeOf<Chat5<InferUIMessageOf<typeof agent, 5>>["messages"][number]["role"]>().toEqualTypeOf<Role>();
  expectTypeOf<Chat6<Message>["messages"][number]["role"]>().toEqualTypeOf<Role>();
  expectTypeOf<Chat7<InferUIMessageOf<typeof agent, 7>>["messages"][number]["role"]>().toEqualTypeOf<Role>();
});

test("an agent whose tools are not known has tools of any name", () => {
  const tools = (): [] => [];
  const untyped = new Agent({ model: new ScriptedModel(), tools });
  expectTypeOf<InferUIMessageOf<typeof untyped>>().toExtend<UIMessage6>();
});

test("chunks are those of the AI SDK", () => {
  expectTypeOf<UIMessageChunk>().toExtend<UIMessageChunk7>();
});
