import { expect, test } from "vitest";
import { runHere } from "./support.ts";

const COMMANDS = ["chat", "map", "eval", "eval add", "session", "inspect", "studio", "emulator"];

test("pollux --help lists the commands, and each explains itself", async () => {
  const { code, out, err } = await runHere(["--help"]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toMatch(/^Usage: pollux COMMAND \[options\]\n/);
  expect([...out.matchAll(/^ {2}([a-z]+(?: [a-z]+)?) {2,}\w/gm)].map(([, name]) => name)).toEqual(COMMANDS);
  expect(await runHere(["-h"])).toEqual({ code, out, err });
  expect(await runHere(["help"])).toEqual({ code, out, err });
  for (const name of COMMANDS) {
    const one = await runHere([...name.split(" "), "--help"]);
    expect(one).toEqual({ code: 0, out: expect.stringMatching(new RegExp(`^Usage: pollux ${name} `)), err: "" });
    expect(Math.max(...one.out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(120);
    expect(await runHere([...name.split(" "), "anything", "--unknown", "-h"])).toEqual(one);
    expect(await runHere(["help", ...name.split(" ")])).toEqual(one);
  }
});

test("pollux --version prints the version of the package", async () => {
  const ended = await runHere(["--version"]);
  expect(ended).toEqual({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), err: "" });
  expect(await runHere(["-v"])).toEqual(ended);
});

test.each([
  [[], /^Usage: pollux COMMAND/],
  [["chta"], /^pollux: unknown command "chta"\nTry pollux --help\n$/],
  [["help", "chta"], /^pollux: unknown command "chta"\n/],
  [["--chat"], /^pollux: unknown option "--chat"\n/],
  [["\u001b[31mred"], /^pollux: unknown command "red"\n/],
  [["chat", "--modle", "x"], /^pollux chat: Unknown option '--modle'\nTry pollux chat --help\n$/],
  [["chat", "Hello"], /^pollux chat: Unexpected argument "Hello"; type messages at the prompt or pipe them in\n/],
  [["chat", "--tools", "files,magic"], /^pollux chat: --tools: unknown tool "magic"; available: files, write, shell/],
  [["inspect", "a", "b"], /^pollux inspect: Unexpected argument "b"; one path at a time\n/],
  [["inspect", "--port", "x"], /^pollux inspect: --port must be an integer from 0 to 65535, not "x"\n/],
  [
    ["inspect", "--host", "0.0.0.0"],
    /^pollux inspect: --host must be one of 127.0.0.1, localhost, ::1, not "0.0.0.0": /,
  ],
  [["session", "--", "--help"], /^pollux session: Unknown command "--help"/],
])("%j is a wrong command line", async (args, message) => {
  const { code, out, err } = await runHere(args);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toMatch(message);
});
