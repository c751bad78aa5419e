import { expect, test } from "vitest";
import { type Answer, type BrainTurn, createEmulator, script, say } from "../../src/index.ts";
import { improvise } from "../../src/improvise.ts";
import { ask, post, textOf, unary } from "../support.ts";

test("lines answer in order; a line can read the request", async () => {
  const brain = script([say("One"), (turn) => [say(`${turn.number}: `), say(turn.prompt)]]);
  const emulator = createEmulator({ brain });
  expect([textOf(await unary(emulator, ask("a"))), textOf(await unary(emulator, ask("b"))), brain.said]).toEqual([
    "One",
    "2: b",
    2,
  ]);
});

test("a request after the last line is refused, and says so", async () => {
  const emulator = createEmulator({ brain: script([say("One")]) });
  await unary(emulator, ask("a"));
  const response = await post(emulator, "generateContent", ask("And now?"));
  expect([response.status, await response.json()]).toEqual([
    400,
    {
      error: {
        code: 400,
        status: "FAILED_PRECONDITION",
        message: 'The script has 1 answer, but this is request 2: "And now?"',
      },
    },
  ]);
});

test("a script counts its own requests, not those before it became the brain", async () => {
  const emulator = createEmulator({ brain: script([say("One"), say("Two")]) });
  await unary(emulator, ask("a"));
  await unary(emulator, ask("b"));
  emulator.setBrain(script([say("Three")]));
  expect(textOf(await unary(emulator, ask("c")))).toBe("Three");
  const refused = (await (await post(emulator, "generateContent", ask("d"))).json()) as { error: { message: string } };
  expect(refused.error.message).toBe('The script has 1 answer, but this is request 2: "d"');
});

test("or gets the last line, the first one, or the answer of another brain", async () => {
  const last = async (afterwards: Parameters<typeof script>[1]): Promise<string> => {
    const emulator = createEmulator({ brain: script([say("One"), say("Two")], afterwards) });
    await unary(emulator, ask("a"));
    await unary(emulator, ask("a"));
    return textOf(await unary(emulator, ask("a")));
  };
  expect(await last({ afterwards: "repeat-last" })).toBe("Two");
  expect(await last({ afterwards: "start-over" })).toBe("One");
  expect(await last({ afterwards: improvise() })).toMatch(/This is the local emulator/);
});

test("a note on function responses is no prompt", async () => {
  const seen: unknown[] = [];
  const look = (turn: BrainTurn): readonly Answer[] => {
    seen.push([turn.prompt, turn.responses.length, turn.sincePrompt.length]);
    return [say("Yes.")];
  };
  const emulator = createEmulator({ brain: script([look, look, look]) });
  const asked = { role: "user", parts: [{ text: "Order it" }] };
  const call = { functionCall: { name: "order", args: {} } };
  const answered = [
    asked,
    { role: "model", parts: [call] },
    { role: "user", parts: [{ functionResponse: { name: "order", response: { output: 1 } } }] },
  ];
  const note = { role: "user", parts: [{ text: "[edited] the user changed the arguments" }] };
  for (const contents of [answered, [...answered, note], [note]])
    await unary(emulator, { contents }, "gemini-2.5-flash");
  expect(seen).toEqual([
    ["Order it", 1, 2],
    ["Order it", 1, 3],
    ["[edited] the user changed the arguments", 0, 0],
  ]);
});
