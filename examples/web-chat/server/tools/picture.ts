import { Agent, defineTool, ToolError, type Tool } from "@pollux/core";
import type { Endpoint } from "@pollux/core";
import { z } from "zod";
import type { MediaFolder } from "../media-folder.ts";

export interface PictureOptions {
  readonly endpoint: Endpoint;
  readonly pictures: MediaFolder;
}

/** A picture, as the page shows it and the model reads it: its address, not its bytes. */
export interface Picture {
  readonly image: string;
  readonly title: string;
}

/** Draws with a model for images. */
export function drawPicture({
  endpoint,
  pictures,
}: PictureOptions): Tool<{ prompt: string }, Picture, unknown, "draw_picture"> {
  const artist = new Agent({
    model: "gemini-3.1-flash-image",
    endpoint,
    settings: { responseModalities: ["TEXT", "IMAGE"], imageConfig: { aspectRatio: "16:9" } },
  });
  return defineTool({
    name: "draw_picture",
    description: "Draws a picture, and shows it to the user.",
    input: z.object({ prompt: z.string().describe("What the picture shows") }),
    effects: "none",
    reads: "trusted",
    async *run({ prompt }, { signal }) {
      yield { text: "Drawing" };
      const { images } = await artist.run(`Draw ${prompt}`, { signal });
      const [image] = images;
      if (image === undefined) throw new ToolError("the model drew nothing; describe the picture differently");
      return { image: await pictures.keep(image.mimeType, image.bytes), title: prompt };
    },
  });
}
