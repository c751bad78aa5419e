import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyText } from "../../helpers/any-text.ts";
import { growthOf } from "../../helpers/growth.ts";
import { redact, redactBytes, redactPieces, redactValue } from "../../../src/wire/index.ts";

const SECRET = 'sk/live=Ab+C12&"x\\é😀%2Fz';

const json = (text: string): string => JSON.stringify(text).slice(1, -1);
const html = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
const units = (text: string): string =>
  Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, "0")}`).join("");

/** What services do to a text before they repeat it. */
const FORMS: Readonly<Record<string, (text: string) => string>> = {
  plain: (text) => text,
  JSON: json,
  "JSON with escaped slashes": (text) => json(text).replaceAll("/", String.raw`\/`),
  "JSON as Gson writes it": (text) => json(text).replaceAll(/[=&'<>]/g, units),
  "JSON with everything escaped": units,
  "JSON inside JSON": (text) => json(json(text)),
  percent: encodeURIComponent,
  "percent with everything escaped": (text) => Buffer.from(text).toString("hex").replaceAll(/../g, "%$&"),
  "percent in lower case": (text) => encodeURIComponent(text).replaceAll(/%../g, (code) => code.toLowerCase()),
  form: (text) => new URLSearchParams([["", text]]).toString().slice(1),
  "a URL inside a URL": (text) => encodeURIComponent(encodeURIComponent(text)),
  HTML: html,
  "HTML with apostrophes": (text) => html(text).replaceAll("'", "&#39;").replaceAll("/", "&#x2F;"),
  "HTML with names for signs": (text) =>
    html(text)
      .replaceAll("/", "&sol;")
      .replaceAll("=", "&equals;")
      .replaceAll("+", "&plus;")
      .replaceAll("\\", "&bsol;"),
  "JavaScript with code points": (text) =>
    Array.from(text, (sign) => `\\u{${sign.codePointAt(0)?.toString(16)}}`).join(""),
  "HTML inside JSON": (text) => json(html(text)),
  hex: (text) => Buffer.from(text).toString("hex"),
  "hex in upper case": (text) => Buffer.from(text).toString("hex").toUpperCase(),
  "hex with spaces": (text) =>
    Buffer.from(text)
      .toString("hex")
      .replaceAll(/..(?=.)/g, "$& "),
  "hex with colons": (text) =>
    Buffer.from(text)
      .toString("hex")
      .toUpperCase()
      .replaceAll(/..(?=.)/g, "$&:"),
  "a list of bytes": (text) => Buffer.from(text).join(),
  base64: (text) => Buffer.from(text).toString("base64"),
  base64url: (text) => Buffer.from(text).toString("base64url"),
  "base64 of JSON": (text) => Buffer.from(json(text)).toString("base64"),
};

describe.each(Object.entries(FORMS))("a secret in %s", (_name, form) => {
  test("is redacted as a whole, and nothing beside it", () => {
    expect(redact(`before: ${form(SECRET)}, after`, [SECRET])).toBe("before: [redacted], after");
    expect(redact(form(SECRET), ["something else", SECRET])).toBe("[redacted]");
    expect(redact(`${form(SECRET)}, ${SECRET}, ${form(SECRET)}`, [SECRET])).toBe("[redacted], [redacted], [redacted]");
  });

  test("is redacted in names and texts of a value, and across pieces", () => {
    const said = form(SECRET);
    expect(redactValue({ [said]: [said, 1, null, true] }, [SECRET])).toEqual({
      "[redacted]": ["[redacted]", 1, null, true],
    });
    for (const at of [1, 5, said.length - 1])
      expect(redactPieces([`a ${said.slice(0, at)}`, "", `${said.slice(at)} b`], [SECRET])).toEqual([
        "a [redacted]",
        "",
        " b",
      ]);
  });

  test("is redacted in bytes of the same length", () => {
    const bytes = Buffer.from(`\0\xff${form(SECRET)}\xfe`, "utf8");
    const clean = redactBytes(bytes, [SECRET]);
    expect(clean).toHaveLength(bytes.length);
    expect(Buffer.from(clean).toString()).toMatch(/^\0\xff\[redacted\]\.*\xfe$/);
  });
});

test.each([
  ["64", "\n"],
  ["64", "\r\n"],
  ["76", "\n"],
  ["76", "\r\n"],
])("a long secret in base64 with lines of %s and %j is redacted, also inside JSON", (width, end) => {
  const secret = Array.from({ length: 40 }, (_, at) => `part-${at}`).join("/");
  const lines = Buffer.from(secret)
    .toString("base64")
    .replaceAll(new RegExp(`.{${width}}(?=.)`, "g"), `$&${end}`);
  expect(redact(`key: ${lines} end`, [secret])).toBe("key: [redacted] end");
  expect(redact(JSON.stringify({ key: lines }), [secret])).toBe('{"key":"[redacted]"}');
});

describe("a longer text in base64", () => {
  test.each(["base64", "base64url"] as const)("shows no part of a secret in %s, wherever it begins", (encoding) => {
    for (const before of ["", "a", "ab", "abc"]) {
      const encoded = Buffer.from(`${before}${SECRET}yz`).toString(encoding);
      const clean = redact(encoded, [SECRET]);
      // At its ends, a character may also hold bits of the secret.
      expect(clean).toMatch(/^.{0,6}\[redacted\].{0,6}$/);
      expect(clean).not.toMatch(new RegExp(Buffer.from(`x${SECRET}`).toString(encoding).slice(4, 8)));
    }
  });
});

describe("a short secret", () => {
  test.each([
    ["db password=hunter2 failed", "hunter2", "db password=[redacted] failed"],
    [String.raw`{"said":"one\nhunter2"}`, "hunter2", String.raw`{"said":"one\n[redacted]"}`],
    ["?key=hunter%32", "hunter2", "?key=[redacted]"],
    ["hunter22 and xhunter2 and aHVudGVyMg", "hunter2", "hunter22 and xhunter2 and aHVudGVyMg"],
    ["Miller's, Millers", "Miller", "[redacted]'s, Millers"],
    ["a cat concatenates", "cat", "a [redacted] concatenates"],
    ["田中さんの名前", "田中", "[redacted]さんの名前"],
    ["nothing", "", "nothing"],
  ])("%j without %j", (text, secret, clean) => {
    expect(redact(text, [secret])).toBe(clean);
  });

  test("is no part of another number", () => {
    expect(redactValue([12345, 123456, 1.5], ["12345"])).toEqual(["[redacted]", 123456, 1.5]);
  });
});

describe("a truncated text", () => {
  test.each([
    ["key: sk-live-012345", "key: [redacted]"],
    ["key: sk-li", "key: sk-li"],
    ["key: sk-live… and more", "key: [redacted]… and more"],
    [`key: ${encodeURIComponent("sk-live-0123456789/a").slice(0, -2)}`, "key: [redacted]"],
    [`key: ${btoa("sk-live-0123456789/abcd").slice(0, 12)}`, "key: [redacted]"],
    ["… key", "… key"],
    ["", ""],
  ])("%j", (text, clean) => {
    expect(redact(text, ["sk-live-0123456789/abcd"], { truncated: true })).toBe(clean);
  });

  test("is taken as whole unless the options say that it is truncated", () => {
    expect(redact("key: sk-live-012345", ["sk-live-0123456789"])).toBe("key: sk-live-012345");
  });
});

test("overlapping secrets become one mark, adjacent ones two", () => {
  expect(redact("abcdefghijkl", ["abcdefgh", "efghijkl"])).toBe("[redacted]");
  expect(redact("abcdefghabcdefgh", ["abcdefgh"])).toBe("[redacted][redacted]");
  expect(redact("the token abcdefghijkl", ["abcdefgh", "token abcdefghijkl", "cdef"])).toBe("the [redacted]");
});

test("Google's keys need not be known", () => {
  const key = `AIza${"x".repeat(35)}`;
  expect(redact(`it is ${key}.`, [])).toBe("it is [redacted].");
  expect(Buffer.from(redactBytes(Buffer.from(`\xff${key}`, "latin1"), [])).toString("latin1")).toBe(
    `\xff[redacted]${".".repeat(29)}`,
  );
});

test("bytes in UTF-16 are searched, and bytes without a secret are the same array", () => {
  const text = Buffer.from(`a ${SECRET} b`, "utf16le");
  const clean = Buffer.from(redactBytes(text, [SECRET]));
  expect(clean.toString("latin1")).toMatch(/^a\0 \0\[redacted\]\.+\0 \0b\0$/);
  const other = redactBytes(text.swap16(), [SECRET]);
  expect(Buffer.from(other).toString("latin1")).toMatch(/^\0a\0 \0\[redacted\]\.+\0 \0b$/);
  const without = Uint8Array.from({ length: 20_000 }, (_, at) => at % 256);
  expect(redactBytes(without, [SECRET])).toBe(without);
});

test("what nests deeper than 200 levels is left out", () => {
  let value: unknown = SECRET;
  for (let level = 0; level < 5_000; level++) value = [value];
  const clean = JSON.stringify(redactValue(value, [SECRET]));
  expect(clean).toBe(`${"[".repeat(200)}"[nested too deeply]"${"]".repeat(200)}`);
});

describe("properties", () => {
  // Signs that some form escapes are frequent; the mark's own brackets are left out: a text beside a mark may spell such a secret.
  const sign = fc.oneof(
    fc.constantFrom(...Array.from('/+=&"\\<>%;#u0041nx-_. é😀')),
    anyText({ minLength: 1, maxLength: 1 }),
  );
  const words = (range: { minLength: number; maxLength: number }): fc.Arbitrary<string> =>
    fc.string({ unit: sign, ...range }).map((text) => text.replaceAll(/[[\]\ud800-\udfff]/g, "x"));
  const secret = words({ minLength: 8, maxLength: 80 }).filter((one) => one.length >= 8);

  test("no form of a secret is left in any text", () => {
    fc.assert(
      fc.property(
        secret,
        words({ minLength: 0, maxLength: 40 }),
        words({ minLength: 0, maxLength: 40 }),
        fc.constantFrom(...Object.keys(FORMS)),
        (hidden, before, after, name) => {
          const said = FORMS[name]?.(hidden) ?? "";
          const clean = redact(`${before} ${said} ${after}`, [hidden]);
          expect(clean).toContain("[redacted]");
          for (const form of Object.values(FORMS)) expect(clean).not.toContain(form(hidden));
        },
      ),
    );
  });

  test("a text without the secret stays as it is", () => {
    fc.assert(
      fc.property(words({ minLength: 8, maxLength: 80 }), words({ minLength: 0, maxLength: 200 }), (hidden, text) => {
        const without = text.replaceAll(/[AZ]/g, "x");
        const other = `${hidden}Z`;
        expect(redact(without, [other])).toBe(without);
        const bytes = new TextEncoder().encode(without);
        expect(redactBytes(bytes, [other])).toBe(bytes);
      }),
    );
  });

  test("pieces are redacted like the whole", () => {
    fc.assert(
      fc.property(secret, fc.array(words({ minLength: 0, maxLength: 9 })), fc.nat(9), (hidden, texts, at) => {
        const pieces = [...texts.slice(0, at), hidden.slice(0, 5), hidden.slice(5), ...texts.slice(at)];
        expect(redactPieces(pieces, [hidden]).join("")).toBe(redact(pieces.join(""), [hidden]));
      }),
    );
  });
});

describe("time", () => {
  const hostile: Readonly<Record<string, (size: number) => readonly [secret: string, text: string]>> = {
    "a secret of one letter": (size) => ["a".repeat(size / 16), "a".repeat(size)],
    "almost the secret, again and again": (size) => [`${"a".repeat(size / 16)}b`, "a".repeat(size)],
    "a secret that begins differently": (size) => [`b${"a".repeat(size / 16)}`, `baaaaa${"a".repeat(size)}`],
    "nothing but cuts": (size) => ["…".repeat(size / 16), "…".repeat(size)],
    "beginnings before cuts": (size) => ["abcdefg…".repeat(size / 128), "abcdefg…".repeat(size / 8)],
    "nothing but escapes": (size) => ["%25a".repeat(size / 64), "%25a".repeat(size / 4)],
    "a part of an escape": (size) => ["&#x0000".repeat(size / 128), "&#x0000".repeat(size / 8)],
    "many marks": (size) => ["abcdefgh", "abcdefgh ".repeat(size / 8)],
  };

  test.each(Object.entries(hostile))("is linear in what is given: %s", (_name, given) => {
    const work = (size: number): void => {
      const [secret, text] = given(size);
      redact(text, [secret], { truncated: true });
    };
    // Sixteen times as much; quadratic work would take 256 times as long.
    expect(growthOf(work, 4_096, 16)).toBeLessThan(128);
  });
});
