import type { ReactElement } from "react";
import { Picture } from "./picture.tsx";

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
      {parts.map(({ type, url, filename }, index) =>
        type === "file" && url !== undefined ? (
          <Picture key={index} url={url} title={filename ?? "Attached image"} />
        ) : null,
      )}
      {texts.length > 0 && <div className="bubble">{texts.join("\n")}</div>}
    </>
  );
}
