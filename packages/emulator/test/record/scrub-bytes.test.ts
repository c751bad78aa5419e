import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, brotliDecompressSync, deflateSync, gunzipSync, gzipSync, inflateSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createEmulator, recordFetch, type RecordFetchOptions, type RecordingFile, replay } from "../../src/index.ts";

const FILE = "https://generativelanguage.googleapis.com/download/v1beta/files/1:download?alt=media";
const KEY = "unusual/key+0815=";

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "pollux-scrub-"))));
afterEach(async () => rm(folder, { recursive: true, force: true }));

/** The one recorded exchange of a download with this answer, and the whole file. */
async function recorded(
  body: Uint8Array | ReadableStream<Uint8Array>,
  headers: Readonly<Record<string, string>> = {},
  options: RecordFetchOptions = {},
): Promise<{ bytes: Buffer; file: string; note: string | undefined; scrubbed: boolean; text: string | undefined }> {
  const response = new Response(body as BodyInit, {
    headers: { "content-type": "application/octet-stream", ...headers },
  });
  const fetch = recordFetch(folder, { ...options, name: "one", fetch: async () => response });
  await (await fetch(FILE, { headers: { "x-goog-api-key": KEY } })).arrayBuffer().catch(() => {});
  await fetch.saved();
  const file = await readFile(fetch.file ?? "", "utf8");
  // Written by the recorder.
  const { others, scrubbed } = JSON.parse(file) as RecordingFile;
  const { responseBody = "", responseEncoding, responseNote: note } = others[0] ?? {};
  const bytes = Buffer.from(responseBody, responseEncoding ?? "utf8");
  return { bytes, file, note, scrubbed, text: responseEncoding === undefined ? responseBody : undefined };
}

const around = (...inside: readonly (string | Uint8Array)[]): Buffer =>
  Buffer.concat([Uint8Array.of(0, 255, 137, 80), ...inside.map((one) => Buffer.from(one)), Uint8Array.of(254, 0)]);

describe("a body that is not text", () => {
  test.each<[string, string | Uint8Array]>([
    ["as it is", KEY],
    ["in base64", btoa(`a${KEY}`)],
    ["in hex", Buffer.from(KEY).toString("hex")],
    ["percent-encoded", encodeURIComponent(KEY)],
    ["escaped in JSON", JSON.stringify(KEY).replaceAll("/", String.raw`\/`)],
    ["escaped in HTML", KEY.replaceAll("=", "&#x3d;")],
    ["in UTF-16", Buffer.from(KEY, "utf16le")],
  ])("keeps its length when it holds a key %s", async (_name, spelling) => {
    const body = around("id=", spelling, "&x");
    const { bytes, note, scrubbed } = await recorded(body, { "content-type": "image/png" });
    expect(bytes).toHaveLength(body.length);
    expect(bytes.includes("[redacted]")).toBe(true);
    expect(bytes.includes(Buffer.from(spelling))).toBe(false);
    expect(bytes.subarray(0, 7)).toEqual(body.subarray(0, 7));
    expect(bytes.subarray(-4)).toEqual(body.subarray(-4));
    expect({ note, scrubbed }).toEqual({ note: "secrets were overwritten", scrubbed: true });
  });

  test("stays as it came when it holds none", async () => {
    const body = around("nothing");
    expect(await recorded(body)).toMatchObject({ bytes: body, note: undefined, scrubbed: false });
  });

  test("shows no beginning of a key where it broke off", async () => {
    const half = around(KEY.slice(0, 9)).subarray(0, -2);
    const pieces = [half].values();
    const broken = new ReadableStream<Uint8Array>({
      pull(controller) {
        const { value } = pieces.next();
        if (value === undefined) controller.error(new Error("reset"));
        else controller.enqueue(value);
      },
    });
    const { bytes } = await recorded(broken);
    expect(bytes.subarray(0, 4)).toEqual(half.subarray(0, 4));
    expect(bytes.includes(KEY.slice(0, 6))).toBe(false);
  });

  test("is recognized by its charset, too", async () => {
    const body = Buffer.from(`key ${KEY} 0123`, "utf16le");
    const { bytes, text } = await recorded(body, { "content-type": "text/plain; charset=utf-16le" });
    expect(text).toBeUndefined();
    expect(bytes).toHaveLength(body.length);
    expect(bytes.toString("utf16le")).toMatch(/^key .{17} 0123$/);
    expect(bytes.toString("utf16le")).not.toContain(KEY.slice(0, 6));
  });
});

describe("a compressed body", () => {
  test.each([
    ["gzip", gzipSync, gunzipSync, {}],
    ["gzip in gzip", (body: Buffer) => gzipSync(gzipSync(body)), (body: Buffer) => gunzipSync(gunzipSync(body)), {}],
    ["deflate", deflateSync, inflateSync, { "content-encoding": "deflate" }],
    ["Brotli", brotliCompressSync, brotliDecompressSync, { "content-encoding": "br" }],
    ["gzip that was not decoded", gzipSync, gunzipSync, { "content-type": "text/plain", "content-encoding": "gzip" }],
  ])("of %s is unpacked and packed again", async (_name, pack, unpack, headers) => {
    const plain = Buffer.from(`{"key":"${KEY}","also":"${KEY}","again":"${btoa(KEY)}"}`);
    const body = pack(plain);
    const { bytes, note, scrubbed } = await recorded(body, headers);
    expect(unpack(bytes).toString()).toMatch(
      /^\{"key":"\[redacted\]\.+","also":"\[redacted\]\.+","again":"\[redacted\]\.+"\}$/,
    );
    expect(note).toBe(`secrets were overwritten; it has ${bytes.length} bytes instead of ${body.length}`);
    expect(scrubbed).toBe(true);
    const other = pack(Buffer.from("no key"));
    expect(await recorded(other, headers)).toMatchObject({ bytes: other, note: undefined });
  });

  test("that the client has decoded is text, despite its header", async () => {
    const headers = { "content-type": "application/json", "content-encoding": "br" };
    expect((await recorded(Buffer.from(`{"a":"${KEY}"}`), headers)).text).toBe('{"a":"[redacted]"}');
  });
});

describe("a body that cannot be searched", () => {
  const bodies: readonly (readonly [string, string, Uint8Array])[] = [
    ["an archive", "a ZIP archive or an office document", Buffer.from("PK\x03\x04...")],
    ["a PDF", "a PDF", Buffer.from("%PDF-1.7\n...")],
    ["a gzip body that breaks off", "an incomplete, damaged or huge gzip body", gzipSync("much ado").subarray(0, 15)],
    ["an archive in gzip", "a ZIP archive or an office document", gzipSync("PK\x03\x04...")],
  ];

  test.each(bodies)("is left out: %s", async (_name, what, body) => {
    expect(await recorded(body)).toMatchObject({
      bytes: Buffer.alloc(0),
      note: `left out, since ${what} can't be searched for secrets: ${body.length} bytes`,
      scrubbed: true,
    });
    const answer = await createEmulator({ brain: replay(folder) }).fetch(new URL(FILE).href);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain("Record it with keepUnsearchable: true.");
  });

  test.each(bodies)("is kept when the author says so: %s", async (_name, _what, body) => {
    expect(await recorded(body, {}, { keepUnsearchable: true })).toMatchObject({
      bytes: Buffer.from(body),
      note: undefined,
      scrubbed: false,
    });
  });
});

test("a key in any form stays out of the URL, the headers and the texts of a recording", async () => {
  const forms = [KEY, encodeURIComponent(KEY), btoa(KEY), btoa(`x${KEY}`), Buffer.from(KEY).toString("hex")];
  const url = `${FILE}&fields=${encodeURIComponent(forms.join())}`;
  const fetch = recordFetch(folder, {
    fetch: async () =>
      Response.json(
        { said: forms, [KEY]: JSON.stringify(JSON.stringify({ a: KEY })) },
        { status: 400, headers: { "content-disposition": `attachment; filename="${forms.join()}"` } },
      ),
  });
  const body = JSON.stringify({ contents: [{ parts: forms.map((text) => ({ text })) }] });
  await (await fetch(url, { method: "POST", body, headers: { "x-goog-api-key": KEY } })).text();
  await fetch.saved();
  const file = await readFile(fetch.file ?? "", "utf8");
  for (const form of [...forms, "nusual", KEY.slice(8), btoa(`x${KEY}`).slice(4, 12)]) expect(file).not.toContain(form);
});

test("the beginning of a key at which a reader left a stream stays out of its recording", async () => {
  const events = [`Your key is ${KEY.slice(0, 5)}`, KEY.slice(5, 12), KEY.slice(12)].map(
    (text) => `data: ${JSON.stringify({ candidates: [{ content: { parts: [{ text }] } }] })}\n\n`,
  );
  const source = new Blob(events).stream().pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(bytes, controller) {
        for (const line of new TextDecoder().decode(bytes).split(/(?<=\n\n)/))
          controller.enqueue(new TextEncoder().encode(line));
      },
    }),
  );
  const fetch = recordFetch(folder, {
    fetch: async () => new Response(source, { headers: { "content-type": "text/event-stream" } }),
  });
  const reader = (await fetch(FILE, { headers: { "x-goog-api-key": KEY } })).body?.getReader();
  await reader?.read();
  await reader?.read();
  await reader?.cancel();
  await fetch.saved();
  const file = await readFile(fetch.file ?? "", "utf8");
  expect(file).toContain("Your key is [redacted]");
  expect(file).not.toContain(KEY.slice(0, 5));
});
