import type { Agent, AnyTool, CompletedToolCall } from "@pollux/core";
import type { AiSdkVersion } from "./chunks.ts";
import type { UIMessageData, UIMessageMetadata } from "./ui-message.ts";

/**
 * The messages of an agent's conversations, for `useChat<InferUIMessage<typeof agent>>()`: its tools and our data parts typed. The same as
 * `UIMessage<UIMessageMetadata, UIMessageData, InferUITools<typeof agent>>` with the `UIMessage` of the `ai` package.
 *
 * `Data` are the application's own parts, `{ weather: { celsius: number } }` for `data-weather`, and `About` what the page says in the
 * `metadata` of the user's messages.
 *
 * Nothing in it is readonly, and absent is not undefined, because the AI SDK's type parameters require it.
 */
export interface InferUIMessage<A, Version extends AiSdkVersion = 6, Data = unknown, About = unknown> {
  id: string;
  role: "system" | "user" | "assistant";
  metadata?: UIMessageMetadata & Partial<About>;
  parts: (
    | SharedPart
    | CustomPart<Data>
    | InferredToolPart<InferUITools<A>, Version>
    | DynamicPart<Version>
    | NewPart<Version>
  )[];
}

/**
 * The tools of an agent by name, with the input and the output of each: the third type parameter of the AI SDK's `UIMessage`. An agent
 * whose tools are not known to the compiler has tools of any name.
 */
export type InferUITools<A> = {
  [Call in CallsOfAgent<A> as Call["name"]]: { input: Call["input"]; output: Call["output"] };
};

type CallsOfAgent<A> =
  A extends Agent<infer _Context, infer Tools>
    ? [NonNullable<Tools["~call"]>] extends [never]
      ? never
      : CompletedCall<Tools>
    : never;

type CompletedCall<Tools extends AnyTool<never>> = Extract<NonNullable<Tools["~call"]>, CompletedToolCall>;

type NamedTools = { [name: string]: { input: unknown; output: unknown } };

/** A call, by the name of its tool. */
type InferredToolPart<T extends NamedTools, Version> = {
  [Name in keyof T & string]: { type: `tool-${Name}` } & CallPart<T[Name]["input"], T[Name]["output"], Version>;
}[keyof T & string];

/** A call of a tool that the page does not know, or of one of the service. */
type DynamicPart<Version> = { type: "dynamic-tool"; toolName: string } & CallPart<unknown, unknown, Version>;

type CallPart<Input, Output, Version> = {
  toolCallId: string;
  providerExecuted?: boolean;
  callProviderMetadata?: CallMetadata;
} & (
  | { state: "input-streaming"; input: Partial<Input> | undefined }
  | { state: "input-available"; input: Input }
  | { state: "output-available"; input: Input; output: Output; preliminary?: boolean }
  | { state: "output-error"; input: Input; errorText: string; resultProviderMetadata?: FailureMetadata }
  | (Version extends 5 ? never : ApprovalPart<Input>)
);

type ApprovalPart<Input> =
  | { state: "approval-requested"; input: Input; approval: { id: string } }
  | { state: "approval-responded"; input: Input; approval: { id: string; approved: boolean; reason?: string } }
  | { state: "output-denied"; input: Input; approval: { id: string; approved: false; reason?: string } };

type CallMetadata = { pollux: { edited: boolean } };
type FailureMetadata = { pollux: { failure: string } };
type CitationMetadata = { pollux: { citations: { start: number; end: number; sources: string[] }[] } };
type SourceMetadata = { pollux: { number: number; kind: string } };

type CustomPart<Data> = {
  [Name in keyof Data & string]: { type: `data-${Name}`; id?: string; data: Data[Name] };
}[keyof Data & string];

type SharedPart =
  | { type: "step-start" }
  | { type: "text"; text: string; state?: "streaming" | "done"; providerMetadata?: CitationMetadata }
  | { type: "reasoning"; id?: string; text: string; state?: "streaming" | "done" }
  | { type: "source-url"; sourceId: string; url: string; title?: string; providerMetadata?: SourceMetadata }
  | {
      type: "source-document";
      sourceId: string;
      mediaType: string;
      title: string;
      providerMetadata?: SourceMetadata;
    }
  | { type: "file"; url: string; mediaType: string; filename?: string }
  | CustomPart<UIMessageData>;

type NewPart<Version> = Version extends 7
  ?
      | { type: "reasoning-file"; url: string; mediaType: string }
      | {
          type: "steering-message";
          id: string;
          parts: (
            | { type: "text"; text: string }
            | { type: "file"; url: string; mediaType: string; filename?: string }
          )[];
        }
  : never;
