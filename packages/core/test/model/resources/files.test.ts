import { Agent, cometapi, ConfigurationError, gemini, media, uploadFile } from "@pollux/core";
import { FileStateError } from "@pollux/core/errors";
import { files } from "@pollux/core/resources";
import { expect, test } from "vitest";
import { fileService } from "../../helpers/file-service.ts";

test("an upload waits until the file can be used, and a question can hold it", async () => {
  await using service = await fileService({ states: ["PROCESSING", "PROCESSING", "ACTIVE"] });
  const { endpoint } = service;
  const steps: number[] = [];
  const file = await uploadFile(new File(["%PDF-1.4"], "a.pdf"), {
    endpoint,
    displayName: "paper",
    pollMs: 1,
    onProgress: ({ uploadedBytes }) => steps.push(uploadedBytes),
  });
  expect(file).toEqual({
    name: "files/f1",
    uri: `${service.url}/v1beta/files/f1`,
    displayName: "paper",
    mimeType: "application/pdf",
    sizeBytes: "8",
    state: "ACTIVE",
  });
  expect(steps).toEqual([8]);
  expect(service.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
    "POST /upload/v1beta/files",
    "POST /upload/v1beta/files?upload_id=u1",
    "GET /v1beta/files/f1",
    "GET /v1beta/files/f1",
  ]);

  const bodies: unknown[] = [];
  const fetch = async (_url: string, { body }: RequestInit): Promise<Response> => {
    bodies.push(JSON.parse(await new Response(body ?? "").text()));
    return new Response('data: {"candidates":[{"content":{"parts":[{"text":"ok"}]},"finishReason":"STOP"}]}\n\n');
  };
  await new Agent({ model: gemini("gemini-3.8-flash", { endpoint, fetch }) }).run(["Sum it up.", media(file)]);
  expect(bodies).toEqual([
    {
      contents: [
        {
          role: "user",
          parts: [{ text: "Sum it up." }, { fileData: { mimeType: "application/pdf", fileUri: file.uri } }],
        },
      ],
    },
  ]);
});

test("an upload that is not waited for gives the file as it is", async () => {
  await using service = await fileService({ states: ["PROCESSING", "ACTIVE"] });
  const store = files({ endpoint: service.endpoint });
  const file = await store.upload(new Uint8Array([1]), { mimeType: "video/mp4", waitUntilActive: false });
  expect(file.state).toBe("PROCESSING");
  expect((await store.wait(file, { pollMs: 1 })).state).toBe("ACTIVE");
});

test("a file that the service cannot process is a typed error", async () => {
  await using service = await fileService({ states: ["PROCESSING", "FAILED"] });
  const upload = uploadFile(new Uint8Array([1]), { endpoint: service.endpoint, mimeType: "video/mp4", pollMs: 1 });
  await expect(upload).rejects.toThrow(FileStateError);
  await expect(upload).rejects.toMatchObject({ file: "files/f1", state: "FAILED", retryable: false });
});

test("files are listed over all pages, looked at and deleted", async () => {
  await using service = await fileService();
  const store = files({ endpoint: service.endpoint });
  const made = [];
  for (const name of ["a", "b", "c"]) made.push(await store.upload(new Blob([name], { type: "text/plain" }), { name }));
  const listed = [];
  for await (const file of store.list()) listed.push(file);
  expect(listed).toEqual(made);
  expect(await store.get("files/b")).toEqual(made[1]);
  for (const file of made) await store.delete(file);
  for await (const file of store.list()) expect(file).toBe("nothing is left");
});

test("a gateway has no Files API, and nothing is sent", async () => {
  const fetch = async (): Promise<Response> => {
    throw new Error("nothing may be sent");
  };
  const upload = uploadFile(new Blob(["x"], { type: "text/plain" }), { endpoint: cometapi({ apiKey: "k" }), fetch });
  await expect(upload).rejects.toThrow(ConfigurationError);
});
