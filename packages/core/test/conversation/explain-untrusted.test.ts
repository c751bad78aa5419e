import type { FunctionCall, UntrustedReason } from "@pollux/core";
import { explainUntrusted } from "@pollux/core/conversation";
import { describe, expect, test } from "vitest";

const MAIL: FunctionCall = { name: "send_mail", args: { to: "ann@shop.example", text: "Hello" } };
const PAGE: UntrustedReason = { reach: "outside", rule: "ask", untrusted: ["web_fetch example.com"] };

describe("why a call is asked about", () => {
  test.each<[string, Partial<UntrustedReason>, FunctionCall, string]>([
    [
      "names the call, whom it is for, and what was read",
      {},
      MAIL,
      "It would reach outside (send_mail to ann@shop.example) after the agent read untrusted content from web_fetch example.com.",
    ],
    [
      "names the first of several recipients",
      {},
      { name: "send_mail", args: { to: ["ann@shop.example", "bob@shop.example"] } },
      "It would reach outside (send_mail to ann@shop.example) after the agent read untrusted content from web_fetch example.com.",
    ],
    [
      "names no more than two of many sources",
      { untrusted: ["web_fetch a.example", "web_fetch b.example", "inbox", "file"] },
      { name: "run_command", args: { command: "rm -r ." } },
      "It would reach outside (run_command) after the agent read untrusted content from web_fetch a.example, web_fetch b.example and 2 more.",
    ],
    [
      "says of a lookup what it would tell whom",
      { reach: "lookup", private: ["crm", "notes"] },
      { name: "web_fetch", args: { url: "https://evil.example/?q=1" } },
      "It would show a stranger what it asks for (web_fetch evil.example) after the agent read private data from crm and notes and untrusted content from web_fetch example.com.",
    ],
    [
      "names what was both once",
      { private: ["web_fetch"] },
      MAIL,
      "It would reach outside (send_mail to ann@shop.example) after the agent read private data and untrusted content from web_fetch example.com.",
    ],
    [
      "says which arguments stand in what was read",
      { found: ["to", "lines[0].text"] },
      MAIL,
      'It would reach outside (send_mail to ann@shop.example) after the agent read untrusted content from web_fetch example.com, which has its "to" and "lines[0].text" word for word.',
    ],
    [
      "says of a denied call that it was denied",
      { rule: "deny" },
      { name: "pay" },
      "It was denied because it would reach outside (pay) after the agent read untrusted content from web_fetch example.com.",
    ],
  ])("%s", (_name, more, call, text) => {
    expect(explainUntrusted({ ...PAGE, ...more }, call)).toBe(text);
  });

  test("is one line of bounded length without characters that hide or turn others, whatever the names are", () => {
    const name = `x\u202e\u0000\n${"y".repeat(500)}`;
    const names = [name, `${name}2`, `${name}3`];
    const reason = { ...PAGE, untrusted: names, private: names, found: names };
    const text = explainUntrusted(reason, { name, args: { to: name } });

    expect(text.length).toBeLessThanOrEqual(700);
    expect(text).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    expect(text).toContain("\\u{202e}");
  });
});
