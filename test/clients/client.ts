import { z } from "zod";

/** A client, and how it does each task. */
export interface Client {
  /** Its package. */
  readonly name: string;
  /** Default: the version that test/programs pins. */
  readonly version?: string;
  readonly surface: "v1" | "v1beta" | "Vertex";
  /** Sends one request, without retries. */
  readonly text: (at: Service, ask: Ask) => Promise<Said>;
  /** The chunks of text that its user sees. */
  readonly stream: (at: Service, ask: Ask) => Promise<readonly string[]>;
  /** Lets the model use functions until it answers. @returns The answer. */
  readonly functions: ((at: Service, prompt: string, tools: readonly Tool[]) => Promise<string>) | No;
  readonly output: ((at: Service, prompt: string, schema: typeof FORECAST) => Promise<unknown>) | No;
  /** One vector per text, with {@link DIMENSIONS} numbers if the client can set that. */
  readonly embeddings: ((at: Service, texts: readonly string[]) => Promise<readonly (readonly number[])[]>) | No;
  readonly tokens: ((at: Service, prompt: string) => Promise<number>) | No;
  /** The client's own file operations; tests do the others. It refers to files with {@link Ask.file}. */
  readonly files: { readonly upload?: (at: Service, file: Blob) => Promise<string> } | No;
  /** The same for cached contents, and {@link Ask.cachedContent}. */
  readonly caches: { readonly create?: (at: Service, text: string) => Promise<string> } | No;
  /** The bug that makes the service refuse its requests after parallel calls. Default: none. */
  readonly oneCallATurn?: string;
  /** It waits as long as a quota error says. Default: it throws the error. */
  readonly waitsForQuota?: boolean;
}

/** Why a client lacks a feature. */
export interface No {
  /** What it does instead, in a sentence without a subject. */
  readonly no: string;
  /** Names to search for `like`, which would find the feature if it existed. */
  readonly among?: () => readonly string[];
  readonly like?: RegExp;
}

/** The address, key and model of a client's requests. */
export interface Service {
  readonly url: string;
  readonly key: string;
  readonly model: string;
}

/** The request of a client. */
export interface Ask {
  readonly prompt: string;
  readonly system?: string;
  readonly maxOutputTokens?: number;
  readonly file?: { readonly uri: string; readonly mimeType: string };
  readonly cachedContent?: string;
}

/** An answer, and the prompt's tokens as the client counts them. */
export interface Said {
  readonly text: string;
  readonly inputTokens: number | undefined;
  readonly cachedTokens?: number | undefined;
}

/** A function that the model may call. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  readonly schema: z.ZodObject;
  readonly run: (args: Record<string, unknown>) => unknown;
}

/** Dimensions of a vector that a client requests. */
export const DIMENSIONS = 768;

/** The schema of a typed answer. */
export const FORECAST = z.strictObject({
  city: z.string(),
  celsius: z.int(),
  sky: z.enum(["sun", "rain"]),
  hours: z.array(z.int()),
});

/** The text of each chunk. */
export async function collect<Chunk>(
  chunks: AsyncIterable<Chunk>,
  textOf: (chunk: Chunk) => string,
): Promise<readonly string[]> {
  const texts: string[] = [];
  for await (const chunk of chunks) texts.push(textOf(chunk));
  return texts;
}
