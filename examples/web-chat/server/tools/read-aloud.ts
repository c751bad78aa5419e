import { Agent, defineTool, type Endpoint, ToolError, type Tool } from "@pollux/core";
import { z } from "zod";
import type { MediaFolder } from "../media-folder.ts";

export interface ReadAloudOptions {
  readonly endpoint: Endpoint;
  readonly sounds: MediaFolder;
}

/** A sound, as the page plays it and the model reads it: its address, not its bytes. */
export interface Sound {
  readonly sound: string;
  readonly title: string;
}

/** Speaks with a model for speech. */
export function readAloud({
  endpoint,
  sounds,
}: ReadAloudOptions): Tool<{ text: string }, Sound, unknown, "read_aloud"> {
  const speaker = new Agent({
    model: "gemini-3.8-flash-tts",
    endpoint,
    settings: { speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: "Kore" } } } },
  });
  return defineTool({
    name: "read_aloud",
    description: "Reads a text aloud to the user.",
    input: z.object({ text: z.string().describe("What is read") }),
    effects: "none",
    reads: "trusted",
    async *run({ text }, { signal }) {
      yield { text: "Speaking" };
      const { audio } = await speaker.run(text, { signal });
      const [speech] = audio;
      if (speech === undefined) throw new ToolError("the model said nothing; try a shorter text");
      return { sound: await sounds.keep("audio/wav", speech.toWav()), title: text };
    },
  });
}
