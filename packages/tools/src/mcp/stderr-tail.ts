import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import type { Logger } from "@pollux/core";
import { redact, redactPieces } from "@pollux/core/wire";

/** Most characters that are shown. */
const SHOWN = 8_192;

/** The end of a process's stderr, without the secrets that the process got. */
export class StderrTail {
  readonly #secrets: readonly string[];
  readonly #log: (line: string) => void;
  readonly #decoder = new StringDecoder("utf8");
  readonly #all: End;
  #line: End;

  constructor(secrets: readonly string[], server: string, logger: Logger | undefined) {
    this.#secrets = secrets;
    this.#log = (line) => logger?.debug({ mcpServer: server, stderr: line }, "MCP server's stderr");
    this.#all = new End(secrets);
    this.#line = new End(secrets);
  }

  read(stream: Readable): void {
    stream.on("data", (chunk: Buffer) => this.#add(this.#decoder.write(chunk)));
    stream.on("end", () => this.#add("\n"));
    stream.on("error", () => {});
  }

  /** The kept text, trimmed. */
  text(): string {
    return this.#all.shown().trim();
  }

  #add(text: string): void {
    this.#all.add(text);
    const [first = "", ...others] = text.split("\n");
    this.#line.add(first);
    for (const other of others) {
      const line = this.#line.shown();
      if (line.trim() !== "") this.#log(line);
      this.#line = new End(this.#secrets);
      this.#line.add(other);
    }
  }
}

/** The end of a text of any length. */
class End {
  readonly #secrets: readonly string[];
  /** Characters after a cut that may be the end of a secret; an escaped secret is at most six times as long. */
  readonly #unsure: number;
  #text = "";
  #isCut = false;

  constructor(secrets: readonly string[]) {
    this.#secrets = secrets;
    this.#unsure = Math.min(6 * Math.max(0, ...secrets.map(({ length }) => length)), SHOWN);
  }

  add(text: string): void {
    const all = this.#text + text;
    const kept = SHOWN + this.#unsure;
    this.#isCut ||= all.length > kept;
    this.#text = all.slice(-kept);
  }

  shown(): string {
    if (!this.#isCut) return redact(this.#text, this.#secrets).slice(-SHOWN);
    const pieces = [this.#text.slice(0, this.#unsure), this.#text.slice(this.#unsure)];
    return redactPieces(pieces, this.#secrets)[1] ?? "";
  }
}

/** Names of variables that hold secrets, even short ones. */
const SECRET_NAME = /key|token|secret|pass|auth|credential|cookie|session|signature/i;

/** Shorter values of other variables are words, such as `production`. */
const MIN_SECRET = 8;

/** The strings in an environment that must not be shown: values, each line of longer ones, and passwords in URLs. */
export function environmentSecrets(environment: Readonly<Record<string, string>>): readonly string[] {
  const values = Object.entries(environment).flatMap(([name, value]) => {
    const parts = [value, ...value.split(/\r?\n/), ...passwordsIn(value)];
    return parts.filter((part) => part.length >= (SECRET_NAME.test(name) ? 4 : MIN_SECRET));
  });
  return [...new Set(values)];
}

function passwordsIn(value: string): readonly string[] {
  if (!URL.canParse(value)) return [];
  const { password } = new URL(value);
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    return [password];
  }
}
