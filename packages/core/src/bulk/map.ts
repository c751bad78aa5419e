import type { OutputOf, OutputSchema, SessionOptions } from "../agent/options.ts";
import type { RunInput } from "../agent/run-input.ts";
import type { Session } from "../agent/session.ts";
import { checkAtLeast, checkOptions } from "../internal/option-names.ts";
import type { ToolCall } from "../tool/tool-call.ts";
import type { MapItem } from "./map-item.ts";
import { type AnyMapOptions, MAP_OPTIONS, type MapOptions } from "./map-options.ts";
import type { MapProgress, MapSummary } from "./map-progress.ts";
import { MapWork } from "./map-work.ts";

/** What {@link map} needs of an agent. */
interface MappedAgent<Context, Calls extends ToolCall, Schema extends OutputSchema | undefined> {
  session(options: SessionOptions): Session<Context, Calls, Schema>;
}

type MapArgument<Input, Context, Own extends OutputSchema | undefined> = Input extends RunInput
  ? undefined extends Context
    ? [options?: MapOptions<Input, Context, Own>]
    : [options: MapOptions<Input, Context, Own> & Needed<Input, Context, Own, "run">]
  : [
      options: MapOptions<Input, Context, Own> &
        Needed<Input, Context, Own, undefined extends Context ? "message" : "message" | "run">,
    ];

type Needed<Input, Context, Own extends OutputSchema | undefined, Name extends "message" | "run"> = {
  readonly [One in Name]: NonNullable<MapOptions<Input, Context, Own>[One]>;
};

/**
 * Runs an agent once for each input, several at a time. Nothing happens until the result is read.
 *
 * Inputs are taken as they are needed, and what is not read yet holds back the next ones, so memory doesn't grow with their number.
 *
 * @param inputs - A list, or anything that can be iterated, such as the lines of a file.
 * @throws {TypeError} For an option that does not exist or cannot be, and for a store without keys.
 * @example
 * ```ts
 * const agent = new Agent({ model: "gemini-flash-latest", instructions: "Say in one word what it is about." });
 * const letters = [{ id: "a1", text: "Where is my order?" }];
 * for await (const item of map(agent, letters, { key: ({ id }) => id, message: ({ text }) => text }))
 *   console.log(item.key, item.status === "finished" ? item.result.text : item.status);
 * ```
 */
export function map<
  Input,
  Context,
  Calls extends ToolCall,
  Schema extends OutputSchema | undefined,
  Own extends OutputSchema | undefined = Schema,
>(
  agent: MappedAgent<Context, Calls, Schema>,
  inputs: Iterable<Input> | AsyncIterable<Input>,
  ...[options]: MapArgument<Input, Context, Own>
): MapRun<Input, OutputOf<Own>, Calls> {
  const given: unknown = options ?? {};
  checkOptions("map", given, MAP_OPTIONS);
  // The context and the output are checked where they are typed; below, nothing looks at them.
  const untyped = given as AnyMapOptions<Input>;
  for (const name of ["concurrency", "retries"] as const) checkAtLeast(name, untyped[name], name === "retries" ? 0 : 1);
  for (const name of ["maxCost", "total"] as const) checkAtLeast(name, untyped[name], 0);
  if (untyped.name?.includes("/") === true) throw new TypeError('the name of a map has no "/"');
  if (typeof inputs !== "object" || !(Symbol.iterator in inputs || Symbol.asyncIterator in inputs))
    throw new TypeError("map() takes a list of inputs, or something else that can be iterated");
  if (untyped.store !== undefined && untyped.key === undefined)
    throw new TypeError("map needs a key with a store, such as key: (input) => input.id");
  return new MapRun(new MapWork((one) => agent.session(one) as unknown as Session, inputs, untyped));
}

/**
 * The work of {@link map}. Read its items with `for await`, or all of them with {@link MapRun.results}; {@link MapRun.summary} says what came
 * of it. Single-use. Leaving the `for await` early aborts what is under way.
 */
export class MapRun<Input, Output, Calls extends ToolCall = ToolCall> implements AsyncIterable<
  MapItem<Input, Output, Calls>
> {
  readonly #work: MapWork<Input>;
  #isBegun = false;

  /** @internal */
  constructor(work: MapWork<Input>) {
    this.#work = work;
  }

  /** @throws What stops all inputs alike: a setting that is wrong, a key that is refused, the day's quota; or what `inputs`, `key` or `message` threw. */
  async *[Symbol.asyncIterator](): AsyncGenerator<MapItem<Input, Output, Calls>, void, void> {
    if (this.#isBegun) throw new TypeError("a map is read once: call map() again");
    this.#isBegun = true;
    // The agent knows the types of its tools, and the schema that of the output.
    yield* this.#work.items() as AsyncGenerator<MapItem<Input, Output, Calls>, void, void>;
  }

  /** All items, in the order of the inputs. For as many as memory holds. */
  async results(): Promise<readonly MapItem<Input, Output, Calls>[]> {
    const items: MapItem<Input, Output, Calls>[] = [];
    for await (const item of this) items.push(item);
    return items.toSorted((a, b) => a.index - b.index);
  }

  /** How it ended. Works through the inputs, and drops the items, if reading has not started. Also when reading threw. */
  async summary(): Promise<MapSummary> {
    if (!this.#isBegun)
      try {
        for await (const _ of this);
      } catch (error) {
        if ((await this.#work.summary).ended === "failed") throw error;
      }
    return await this.#work.summary;
  }

  /** How it stands. */
  get progress(): MapProgress {
    return this.#work.tally.progress();
  }
}
