import { Agent, endpoint, media } from "@pollux/core";
import { files } from "@pollux/core/resources";
import { createEmulator } from "@pollux/emulator";
import { improvise } from "@pollux/emulator/improvise";
import { describe, expect, test } from "vitest";

const MIB = 1024 * 1024;

describe("a file in the Files API", () => {
  test("goes up in chunks, is waited for, asked about, listed and deleted", async () => {
    const server = await createEmulator({ brain: improvise() }).listen();
    try {
      const to = endpoint({ baseUrl: server.url });
      const steps: number[] = [];
      const bytes = new Uint8Array(9 * MIB);
      bytes.set(new TextEncoder().encode("%PDF-1.4"));
      const file = await files({ endpoint: to }).upload(bytes, {
        displayName: "logbook",
        pollMs: 10,
        onProgress: ({ uploadedBytes }) => steps.push(uploadedBytes / MIB),
      });
      expect(file).toMatchObject({
        name: expect.stringMatching(/^files\/[\w-]+$/),
        mimeType: "application/pdf",
        displayName: "logbook",
        sizeBytes: String(9 * MIB),
        state: "ACTIVE",
      });
      expect(steps).toEqual([8, 9]);

      const store = files({ endpoint: to });
      expect(await store.get(file)).toEqual(file);
      const listed: string[] = [];
      for await (const { name } of store.list()) listed.push(name);
      expect(listed).toEqual([file.name]);

      const agent = new Agent({ model: "gemini-3.8-flash", endpoint: to });
      expect((await agent.run(["Sum it up.", media(file)])).stopReason).toBe("finished");

      await store.delete(file);
      await expect(store.get(file)).rejects.toMatchObject({ code: "api_status", status: 403 });
      await expect(agent.run(["Sum it up.", media(file)])).rejects.toMatchObject({ code: "api_status", status: 403 });
    } finally {
      await server.close();
    }
  });
});
