import type { ReactElement } from "react";
import { Picture } from "./picture.tsx";
import { Sound } from "./sound.tsx";

export interface QuestionProps {
  readonly parts: readonly {
    readonly type: string;
    readonly text?: string;
    readonly url?: string;
    readonly mediaType?: string;
    readonly filename?: string;
  }[];
}

/** What a person said. */
export function Question({ parts }: QuestionProps): ReactElement {
  const texts = parts.flatMap(({ type, text }) => (type === "text" && text !== undefined ? [text] : []));
  return (
    <>
      {parts.map(({ type, url, mediaType, filename }, index) => {
        if (type !== "file" || url === undefined) return null;
        if (mediaType?.startsWith("audio/"))
          return <Sound key={index} url={url} title={filename ?? "Attached sound"} />;
        return <Picture key={index} url={url} title={filename ?? "Attached image"} />;
      })}
      {texts.length > 0 && <div className="bubble">{texts.join("\n")}</div>}
    </>
  );
}
