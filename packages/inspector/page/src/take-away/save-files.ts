import type { TakenFiles } from "../../../src/inspection/results.ts";
import { useInspector } from "../app/inspector.ts";
import { useSession } from "../session/session-model.ts";

/** Takes something away, and says what to do with it, or why it could not be had. */
export function useSave(): (what: string, query?: { readonly [name: string]: string }) => Promise<void> {
  const inspector = useInspector();
  const { source, id } = useSession();
  return async (what, query) => {
    try {
      inspector.say(saveFiles(await source.view<TakenFiles>(id, `take-${what}`, query)));
    } catch (error) {
      inspector.say(error instanceof Error ? error.message : String(error), true);
    }
  };
}

/** Gives files to the browser to save. @returns What to do with them. */
function saveFiles({ files, notes }: TakenFiles): string {
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
