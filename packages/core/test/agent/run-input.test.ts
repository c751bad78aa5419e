import { Agent, endpoint, type FetchLike, gemini, type InputPart, media, type RunInput } from "@pollux/core";
import { ScriptedModel, say } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { faces } from "../helpers/faces.ts";

const ID = "gemini-3.8-flash";
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAYAAADED76L";

/** A service that says "ok", and the bodies it got. */
function service(): { readonly bodies: unknown[]; readonly fetch: FetchLike } {
  const bodies: unknown[] = [];
  const fetch: FetchLike = async (_url, { body }) => {
    bodies.push(JSON.parse(await new Response(body ?? "").text()));
    const answer = { candidates: [{ content: { role: "model", parts: [{ text: "ok" }] }, finishReason: "STOP" }] };
    return new Response(`data: ${JSON.stringify(answer)}\n\n`);
  };
  return { bodies, fetch };
}

const google = endpoint({ baseUrl: "https://gemini.example", apiKey: "k", kind: "developer" });

describe.each(faces)("what %s is asked", (_name, face) => {
  test("goes over the wire piece by piece, in order", async () => {
    const { bodies, fetch } = service();
    const agent = new Agent({ model: gemini(ID, { endpoint: google, fetch }) });
    await face(agent, [
      "What do these show?",
      media(PNG, { mediaResolution: "MEDIA_RESOLUTION_HIGH", displayName: "not sent" }),
      await media(new File(["# Title"], "a.md")),
      media("https://youtu.be/abc", { videoMetadata: { startOffset: 60, endOffset: 90.5, fps: 2 } }),
      media("gs://bucket/talk.mp3"),
      media({ name: "files/a", uri: "https://gemini.example/v1beta/files/a", mimeType: "application/pdf" }),
      { inlineData: { mimeType: "image/gif", data: "R0lGOD" } },
      { text: "Be brief." },
    ]);
    expect(bodies).toEqual([
      {
        contents: [
          {
            role: "user",
            parts: [
              { text: "What do these show?" },
              {
                inlineData: { mimeType: "image/png", data: PNG },
                mediaResolution: { level: "MEDIA_RESOLUTION_HIGH" },
              },
              { inlineData: { mimeType: "text/markdown", data: "IyBUaXRsZQ==" } },
              {
                fileData: { mimeType: "video/mp4", fileUri: "https://youtu.be/abc" },
                videoMetadata: { startOffset: "60s", endOffset: "90.5s", fps: 2 },
              },
              { fileData: { mimeType: "audio/mp3", fileUri: "gs://bucket/talk.mp3" } },
              { fileData: { mimeType: "application/pdf", fileUri: "https://gemini.example/v1beta/files/a" } },
              { inlineData: { mimeType: "image/gif", data: "R0lGOD" } },
              { text: "Be brief." },
            ],
          },
        ],
      },
    ]);
  });

  test.each<[string, unknown]>([
    ["nothing", []],
    ["an empty text", " "],
    ["an empty text among parts", ["a", ""]],
    ["a blob that was not awaited", ["a", media(new Blob(["x"], { type: "text/plain" }))]],
    ["media alone", media(PNG)],
  ])("cannot be %s", async (_what, input) => {
    const model = new ScriptedModel(say("ok"));
    await expect((async () => await face(new Agent({ model }), input as RunInput))()).rejects.toThrow(TypeError);
    expect(model.requests).toEqual([]);
  });
});

describe("media that would be refused is refused before anything is sent", () => {
  const many = (count: number, source: string): readonly InputPart[] =>
    Array.from({ length: count }, () => media(source));
  test.each<[string, string, readonly InputPart[], string | undefined]>([
    ["no bytes", ID, [{ inlineData: { mimeType: "image/png", data: "" } }], "image/png without bytes"],
    ["no address", ID, [{ fileData: { fileUri: "" } }], "an empty fileUri"],
    ["unnamed bytes", ID, [media("AAAA", "application/octet-stream")], "use the media type of the content"],
    ["an archive", ID, [media("AAAA", "application/zip")], "send the files inside"],
    ["a Word file", ID, [media("AAAA", "application/msword")], "convert it to PDF or text, or use gemini-4-hydrogen"],
    ...["doc", "docx", "ppt", "pptx", "xls", "xlsx", "odt", "odp", "ods"].flatMap(
      (extension): [string, string, readonly InputPart[], string | undefined][] => [
        [`a .${extension} for Hydrogen`, "gemini-4-hydrogen", [media(`gs://b/a.${extension}`)], undefined],
        [`a .${extension} for Argon`, "gemini-4-argon", [media(`gs://b/a.${extension}`)], "use gemini-4-hydrogen"],
      ],
    ),
    ["a Word file for a model that nobody knows", "gemini-4-xenon", [media("AAAA", "application/msword")], undefined],
    ["a drawing", ID, [media("AAAA", "image/svg+xml")], "convert it to PNG, or send its source as text"],
    ["a kind that is not known", ID, [media("AAAA", "application/x-new")], undefined],
    ["an archive for a newer family", "gemini-9-flash", [media("AAAA", "application/zip")], undefined],
    ["3,600 images", ID, many(3_600, "https://x.no/a.png"), undefined],
    ["too many images", ID, many(3_601, "https://x.no/a.png"), "contains 3601 images; a request accepts at most 3600"],
    ["ten videos", ID, many(10, "https://youtu.be/a"), undefined],
    ["too many videos", ID, many(11, "https://youtu.be/a"), "contains 11 videos; a request accepts at most 10"],
    [
      "a resolution on an older model",
      "gemini-2.5-flash",
      [media(PNG, { mediaResolution: "MEDIA_RESOLUTION_LOW" })],
      "gemini-2.5-flash accepts it only for the whole request; set it on the agent",
    ],
    ["a picture for a speaking model", "gemini-3.8-flash-tts", [media(PNG)], "reads only text: remove it"],
    ["a picture for a listening model", "gemini-3.5-transcribe", [media(PNG)], "reads only audio: pass audio"],
    ["sound for a listening model", "gemini-3.5-transcribe", [media("gs://b/a.mp3")], undefined],
    [
      "a large document",
      ID,
      [media("A".repeat(70_000_000), "application/pdf")],
      "a PDF of 52500000 bytes; the limit is 52428800",
    ],
  ])("%s", async (_what, model, input, message) => {
    const { bodies, fetch } = service();
    const agent = new Agent({ model: gemini(model, { endpoint: google, fetch, transport: "stream" }) });
    for (const ask of [
      async () => await agent.run(input),
      async () => await agent.stream(input).result(),
      async () => await agent.session().send(input),
    ]) {
      bodies.length = 0;
      if (message === undefined) {
        expect((await ask()).text).toBe("ok");
        continue;
      }
      await expect(ask()).rejects.toMatchObject({ code: "configuration", message: expect.stringContaining(message) });
      expect(bodies).toEqual([]);
    }
  });

  test("what the model made is not held against the input", async () => {
    const model = new ScriptedModel(say("ok"));
    const contents = [
      { role: "user" as const, parts: [{ text: "Draw." }] },
      { role: "model" as const, parts: [{ inlineData: { mimeType: "image/svg+xml", data: "AAAA" } }] },
      { role: "user" as const, parts: [{ text: "Again." }] },
    ];
    expect((await new Agent({ model }).run(contents)).text).toBe("ok");
  });
});
