import { expect, test } from "vitest";
import { validateRequest } from "../../src/validate/contract.ts";
import { answer, call, user, model, text } from "./request.ts";

const ISSUED = "ab+/cd+/AA==";

function judge(signature: string): { readonly ok: boolean; readonly asked: readonly unknown[] } {
  const asked: unknown[] = [];
  const body = { contents: [user(text("q")), model(call("f", "a", signature)), user(answer("f", "a"))] };
  const { ok } = validateRequest(
    {
      method: "POST",
      url: new URL("http://localhost/v1beta/models/gemini-3.8-flash:generateContent"),
      headers: new Headers({ "x-goog-api-key": "key" }),
      body: JSON.stringify(body),
    },
    {
      profile: "developer",
      signatures: {
        check(given, part, family) {
          asked.push([given, part, family]);
          return given === ISSUED ? "issued" : "foreign";
        },
      },
    },
  );
  return { ok, asked };
}

test("the book is asked about the part as it was sent, and the model's family", () => {
  const part = { functionCall: { id: "a", name: "f", args: {} }, thoughtSignature: ISSUED };
  expect(judge(ISSUED)).toEqual({ ok: true, asked: [[ISSUED, part, "gemini-3"]] });
});

test.each(["ab-_cd-_AA==", "ab-_cd-_AA", "ab+/cd+/AA"])("an issued signature is recognized as %s", (spelling) => {
  expect(judge(spelling).ok).toBe(true);
});

test("a signature that the book does not know is refused", () => {
  expect(judge("ab+/cd+/AB==").ok).toBe(false);
});
