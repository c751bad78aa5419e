import type { TakenFiles } from "../../../src/inspection/results.ts";
import type { Source } from "../../../src/inspection/source.ts";

/** Fetches what is taken away, and gives it to the browser to save. @returns What to do with it. */
export async function saveFiles(
  source: Source,
  session: string,
  what: string,
  query: { readonly [name: string]: string } = {},
): Promise<string> {
  // The server is of the same release as the page.
  const { files, notes } = (await source.view(session, `take-${what}`, query)) as unknown as TakenFiles;
  for (const { name, text } of files) {
    // Whatever it is, a browser saves it and shows nothing of it.
    const address = URL.createObjectURL(new Blob([text], { type: "application/octet-stream" }));
    const link = document.createElement("a");
    link.href = address;
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  }
  return [`Saved ${files.map(({ name }) => name).join(" and ")}.`, ...notes].join(" ");
}
