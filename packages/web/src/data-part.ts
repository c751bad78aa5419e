import type { MessagePart } from "@pollux/core/conversation";

/**
 * Something for the page that the model doesn't see: a `data-NAME` part of the AI SDK, a `CUSTOM` event of AG-UI. A tool reports it as
 * progress, `context.progress({ type: "data-weather", data })`; hooks send it with `send` of {@link RunRequest}.
 */
export type DataPart<Data = { readonly [name: string]: unknown }> = {
  [Name in keyof Data & string]: {
    readonly type: `data-${Name}`;
    /** A later part of the same type and id replaces this one. @defaultValue none: each part is added */
    readonly id?: string | undefined;
    /** JSON. */
    readonly data: Data[Name];
    /** Only for current readers: not stored, and not part of a message. @defaultValue false */
    readonly transient?: boolean | undefined;
  };
}[keyof Data & string];

/** True for progress that is a data part. */
export function isDataPart(value: unknown): value is DataPart {
  if (typeof value !== "object" || value === null || !("data" in value)) return false;
  const { type, id } = value as Partial<DataPart>;
  return typeof type === "string" && /^data-./.test(type) && (id === undefined || typeof id === "string");
}

/** A data part of a message, which core doesn't know. */
export interface ShownData {
  readonly type: "data";
  /** Unique in the message. */
  readonly id: string;
  readonly part: DataPart;
}

/** The data parts of a message, and the others. */
export function splitData(parts: readonly MessagePart[]): {
  readonly data: readonly ShownData[];
  readonly others: readonly MessagePart[];
} {
  const all = parts as readonly (MessagePart | ShownData)[];
  const data = all.filter((part): part is ShownData => part.type === "data");
  return { data, others: data.length === 0 ? parts : parts.filter((part) => !data.some(({ id }) => id === part.id)) };
}
