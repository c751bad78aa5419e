import { z } from "zod";

/** A client, and how it does each thing. */
export interface Client {
  /** Its package. */
  readonly name: string;
  /** Default: the one that test/programs pins. */
  readonly version?: string;
  readonly surface: "v1" | "v1beta" | "Vertex";
  /** Asks once, without retries. */
  readonly text: (at: Service, ask: Ask) => Promise<Said>;
  /** The pieces of text that its user sees. */
  readonly stream: (at: Service, ask: Ask) => Promise<readonly string[]>;
  /** Lets the model use functions until it answers; gives the answer. */
  readonly functions: ((at: Service, prompt: string, tools: readonly Tool[]) => Promise<string>) | No;
  readonly output: ((at: Service, prompt: string, schema: typeof FORECAST) => Promise<unknown>) | No;
  /** One vector for each text, of {@link DIMENSIONS} numbers if it can ask for that. */
  readonly embeddings: ((at: Service, texts: readonly string[]) => Promise<readonly (readonly number[])[]>) | No;
  readonly tokens: ((at: Service, prompt: string) => Promise<number>) | No;
  /** What it does with files itself; the rest is done for it. It refers to them with {@link Ask.file}. */
  readonly files: { readonly upload?: (at: Service, file: Blob) => Promise<string> } | No;
  /** The same for cached contents, and {@link Ask.cachedContent}. */
  readonly caches: { readonly create?: (at: Service, text: string) => Promise<string> } | No;
  /** The bug for which the service refuses what it sends after parallel calls. Default: they work. */
  readonly oneCallATurn?: string;
  /** Waits by itself as a quota error says. Default: it throws the error. */
  readonly waitsForQuota?: boolean;
}

/** Why a client doesn't do something. */
export interface No {
  /** What it does instead, without a subject. */
  readonly no: string;
  /** Names that would contain `like` if it did, as far as a program can tell. */
  readonly among?: () => readonly string[];
  readonly like?: RegExp;
}

/** Where a client sends its requests, with which key and to which model. */
export interface Service {
  readonly url: string;
  readonly key: string;
  readonly model: string;
}

/** What a client is to ask for. */
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

/** Numbers of a vector that a client asks for. */
export const DIMENSIONS = 768;

/** What a typed answer has to be. */
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
