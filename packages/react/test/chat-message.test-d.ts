import { Agent, defineTool, googleSearch } from "@pollux/core";
import { ScriptedModel } from "@pollux/core/testing";
import type { InferUIMessage } from "@pollux/web/ai-sdk";
import { expectTypeOf, test } from "vitest";
import { z } from "zod";
import type { AnyCall, CallOf, ToolNameOf } from "../src/chat-message.ts";
import type { ChatAppProps } from "../src/chat-app.tsx";
import type { ToolViewProps, ToolViews } from "../src/settings.tsx";

const roll = defineTool({
  name: "roll_dice",
  description: "Rolls dice.",
  input: z.object({ dice: z.int(), sides: z.int().default(6) }),
  run: ({ dice }) => ({ rolls: [dice] }),
});
const book = defineTool({
  name: "book_table",
  description: "Books a table.",
  input: z.object({ people: z.int() }),
  needsApproval: true,
  approvedBy: "user",
  run: () => "booked",
});
const agent = new Agent({ model: new ScriptedModel(), tools: [roll, book, googleSearch()] });
type Message = InferUIMessage<typeof agent, 7>;
type Message6 = InferUIMessage<typeof agent>;

test("a view's call has the input and output of its tool, with either version of the AI SDK", () => {
  expectTypeOf<Extract<ToolNameOf<Message>, "roll_dice" | "book_table">>().toEqualTypeOf<"roll_dice" | "book_table">();
  expectTypeOf<Extract<ToolNameOf<Message6>, "roll_dice" | "book_table">>().toEqualTypeOf<"roll_dice" | "book_table">();
  const read = (call: CallOf<Message, "roll_dice"> | CallOf<Message6, "roll_dice">): unknown => {
    if (call.state === "input-available") {
      expectTypeOf(call.input).toEqualTypeOf<{ dice: number; sides?: number | undefined }>();
      // @ts-expect-error -- there is no output yet
      return call.output.rolls;
    }
    // @ts-expect-error -- only an output has one
    if (call.state === "output-error") return call.output.rolls;
    return call.state === "output-available" && call.preliminary !== true
      ? call.output.rolls.at(0)?.toFixed()
      : undefined;
  };
  expectTypeOf(read).toBeFunction();
});

test("views are named for tools, and get calls of theirs only", () => {
  type View<Name extends string> = (props: ToolViewProps<CallOf<Message, Name>>) => null;
  const views = {} as {
    readonly roll: View<"roll_dice">;
    readonly book: View<"book_table">;
    readonly all: (props: ToolViewProps<Extract<Message["parts"][number], { toolCallId: string }>>) => null;
  };
  expectTypeOf({ roll_dice: views.roll, book_table: views.book }).toExtend<ToolViews<Message>>();
  expectTypeOf({ roll_dice: views.roll }).toExtend<NonNullable<ChatAppProps<Message>["tools"]>>();
  expectTypeOf({ roll_dice: views.all, book_table: views.all }).toExtend<ToolViews<Message>>();
  expectTypeOf({ roll_dice: views.book }).not.toExtend<ToolViews<Message>>();
  // @ts-expect-error -- no tool has that name
  const typo: ToolViews<Message> = { roll_die: views.all };
  expectTypeOf(typo).toEqualTypeOf<ToolViews<Message>>();
});

test("a call of any tool has a name, a state and an input that is not known", () => {
  expectTypeOf<AnyCall>().toExtend<{ toolCallId: string; state: string }>();
});
