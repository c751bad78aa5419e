import type { Attributes } from "@opentelemetry/api";
import type { Content } from "@pollux/core";
import type { ModelRequest, ModelResponse } from "@pollux/core/model";
import { isIdentifier } from "./attributes.ts";
import { ContentWriter, type Fitted, fitItems, fitJson } from "./content-writer.ts";
import { definitionsOf, instructionsOf, type Message, type MessagePart, messagesOf } from "./messages.ts";
import type { Settings } from "./options.ts";

/** Content of a request or an answer: as strings for spans, and structured for events. */
export interface CapturedContent {
  readonly strings: Attributes;
  readonly structured: { readonly [name: string]: readonly (Message | MessagePart)[] };
}

/** Chooses the exported content of a run, so that each message is exported once. */
export class RunContent {
  readonly #settings: Settings;
  /** Number of contents of the last request. */
  #sent: number | undefined;
  #instructions: string | undefined;
  #functions: ModelRequest["functions"] | undefined;
  #input: string | undefined;
  #output: string | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** The content that a request adds. */
  ofRequest(request: ModelRequest): CapturedContent {
    const { contents, instructions, functions } = request;
    const { messages } = this.#settings;
    const isAll = messages === "all";
    const captured = new Capture();
    const from = isAll ? 0 : this.#firstNew(contents);
    if (messages !== "none") {
      const input = fitMessages(this.#settings, contents, from);
      captured.add("gen_ai.input.messages", input);
      captured.strings["pollux.messages.from"] = input.from;
      if (this.#sent === undefined)
        this.#input = isAll ? fitMessages(this.#settings, contents, this.#firstNew(contents)).json : input.json;
    }
    if (instructions !== undefined && (isAll || instructions !== this.#instructions))
      captured.add(
        "gen_ai.system_instructions",
        fitItems(this.#settings, (writer) => instructionsOf(instructions, writer)),
      );
    if (isAll || functions !== this.#functions) {
      const definitions = fitItems(this.#settings, (writer) => definitionsOf(request, writer));
      if (definitions.items.length + definitions.dropped > 0) captured.add("gen_ai.tool.definitions", definitions);
    }
    this.#sent = contents.length;
    this.#instructions = instructions;
    this.#functions = functions;
    return captured;
  }

  ofResponse({ content }: ModelResponse): CapturedContent {
    const captured = new Capture();
    const output = fitItems(this.#settings, (writer) => messagesOf(content, writer));
    captured.add("gen_ai.output.messages", output);
    this.#output = output.json;
    return captured;
  }

  /** The message that the run answers, and its last answer. */
  ofRun(): Attributes {
    return {
      ...(this.#input !== undefined && { "gen_ai.input.messages": this.#input }),
      ...(this.#output !== undefined && { "gen_ai.output.messages": this.#output }),
    };
  }

  /**
   * Index of the first content that was in no request of this run: at first where the run's own message begins, then after the last request
   * and its answer. After a summary has replaced messages, everything is new.
   */
  #firstNew(contents: readonly Content[]): number {
    const sent = this.#sent;
    if (sent === undefined) return contents.findLastIndex(({ role }) => role === "model") + 1;
    if (contents.length < sent) return 0;
    return contents[sent]?.role === "model" ? sent + 1 : sent;
  }
}

/**
 * An error in the attributes of the conventions. The message and the stack are content: the service's own error texts quote the prompt.
 *
 * @param captures - Whether the destination gets content.
 */
export function captureError(settings: Settings, captures: boolean, error: unknown): CapturedError {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return {
    "exception.type": isIdentifier(name) ? name : "_OTHER",
    ...(captures && {
      "exception.message": captureText(settings, message),
      ...(stack !== undefined && { "exception.stacktrace": captureText(settings, stack) }),
    }),
  };
}

/** Attributes of {@link captureError}. */
export type CapturedError = {
  readonly "exception.type": string;
  readonly "exception.message"?: string | undefined;
  readonly "exception.stacktrace"?: string | undefined;
};

/** A text that may be content: a message of a failure, the name or the description of a tool. */
export function captureText(settings: Settings, text: string): string {
  return new ContentWriter(settings, settings.maxStringBytes).text(text);
}

/** Arguments or the result of a call. */
export function captureValue(settings: Settings, name: string, value: unknown): Attributes {
  const { json, hasCut } = fitJson(settings, value);
  return { [name]: json, ...(hasCut && CUT) };
}

/** Says that content was cut or left out. */
const CUT: Attributes = { "pollux.content.cut": true };

class Capture implements CapturedContent {
  readonly strings: Attributes = {};
  readonly structured: { [name: string]: readonly (Message | MessagePart)[] } = {};

  add(name: string, { json, items, hasCut }: Fitted<Message | MessagePart>): void {
    this.strings[name] = json;
    this.structured[name] = items;
    if (hasCut) Object.assign(this.strings, CUT);
  }
}

/** Messages of the contents from an index on, without the oldest ones if they are too large. */
function fitMessages(
  settings: Settings,
  contents: readonly Content[],
  from: number,
): Fitted<Message> & { readonly from: number } {
  // A content can be two messages.
  let indexes: number[] = [];
  const fitted = fitItems(settings, (writer) => {
    indexes = [];
    return contents.slice(from).flatMap((content, offset) => {
      const messages = messagesOf(content, writer);
      for (const _ of messages) indexes.push(from + offset);
      return messages;
    });
  });
  return { ...fitted, from: indexes[fitted.dropped] ?? contents.length };
}
