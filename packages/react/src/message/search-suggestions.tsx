import type { ReactElement } from "react";

/** The chips that Google Search comes with, unchanged. They are foreign HTML: no scripts, and no access to the page. */
export function SearchSuggestions({ html }: { readonly html: readonly string[] }): ReactElement {
  return (
    <>
      {html.map((one) => (
        <iframe
          key={one}
          className="suggestions"
          title="Google Search suggestions"
          sandbox="allow-popups allow-popups-to-escape-sandbox"
          srcDoc={`${FRAME}${one}`}
        />
      ))}
    </>
  );
}

/** In the colors of the page, on one line. */
const FRAME =
  '<meta name="color-scheme" content="light dark"><base target="_blank">' +
  "<style>body{margin:0;overflow:auto hidden;white-space:nowrap;font:14px system-ui}</style>";
