import fc from "fast-check";
import { expect, test } from "vitest";
import { formatRoute, parseRoute, type Route } from "../../page/src/app/route.ts";

test.each<[string, Route]>([
  ["#/", { kind: "sessions", search: "", state: "" }],
  ["#/?q=a+b&state=waiting", { kind: "sessions", search: "a b", state: "waiting" }],
  ["#/s/chat%2F1", { kind: "session", id: "chat/1", tab: "" }],
  ["#/s/chat-1/wire/12", { kind: "session", id: "chat-1", tab: "wire", item: 12 }],
  ["#/s/chat-1/r/run-1", { kind: "session", id: "chat-1", tab: "", turn: { runId: "run-1", turn: 0, tab: "" } }],
  [
    "#/s/chat-1/r/run-1/t/3/wire/7",
    { kind: "session", id: "chat-1", tab: "", turn: { runId: "run-1", turn: 3, tab: "wire", item: 7 } },
  ],
  ["#/s/chat-1/t/3", { kind: "session", id: "chat-1", tab: "", turn: { turn: 3, tab: "" } }],
  ["#/s/chat-1/t/3/wire/7", { kind: "session", id: "chat-1", tab: "", turn: { turn: 3, tab: "wire", item: 7 } }],
  ["#/compare/chat%2F1/chat-2", { kind: "compare", left: "chat/1", right: "chat-2" }],
  [
    "#/compare/chat-1/chat-1/run-1/run%2F2",
    { kind: "compare", left: "chat-1", right: "chat-1", runs: ["run-1", "run/2"] },
  ],
  ["#/evals", { kind: "evals", path: [] }],
  ["#/evals/my%20bot/run%2F1/late/3/run-2/1", { kind: "evals", path: ["my bot", "run/1", "late", "3", "run-2", "1"] }],
])("%s is an address", (hash, route) => {
  expect(parseRoute(hash)).toEqual(route);
  expect(formatRoute(route)).toBe(hash);
});

test.each(["", "#", "#nonsense", "#/s", "#/s/", "#/x/y", "#/compare/a"])("%j is the list of sessions", (hash) => {
  expect(parseRoute(hash)).toEqual({ kind: "sessions", search: "", state: "" });
});

test("any session and run has an address", () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, unit: "grapheme" }),
      fc.string({ minLength: 1, unit: "grapheme" }),
      fc.nat(),
      (id, runId, turn) => {
        fc.pre(turn < 1e9);
        const route: Route = { kind: "session", id, tab: "", turn: { runId, turn, tab: "" } };
        expect(parseRoute(formatRoute(route))).toEqual(route);
      },
    ),
  );
});
