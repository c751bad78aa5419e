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
          srcDoc={`<base target="_blank"><style>body{margin:0;overflow-y:hidden;font:14px system-ui}</style>${one}`}
        />
      ))}
    </>
  );
}
