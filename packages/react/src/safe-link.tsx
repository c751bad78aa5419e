import type { ReactElement, ReactNode } from "react";

export interface SafeLinkProps {
  readonly href: string;
  /** Shows the whole address and leads nowhere. @defaultValue false */
  readonly isText?: boolean | undefined;
  readonly children?: ReactNode;
}

/**
 * A link that a model wrote: it only leads to web pages, shows the host that a click would contact, and opens a new
 * tab.
 */
export function SafeLink({ href, isText = false, children }: SafeLinkProps): ReactElement {
  const host = webHostOf(href);
  if (host === undefined) return <span>{children}</span>;
  if (isText)
    return (
      <span>
        {children} <span className="link-host">{href}</span>
      </span>
    );
  return (
    <a href={href} target="_blank" rel="noreferrer" title={href}>
      {children}
      {!isAddressAt(host, children) && <span className="link-host"> {host}</span>}
    </a>
  );
}

/** The host of a page's address, without `www.`; undefined for anything else, such as `javascript:` or `https://a.com@b.com`. */
export function webHostOf(href: string): string | undefined {
  if (!URL.canParse(href)) return undefined;
  const { protocol, host, username, password } = new URL(href);
  return /^https?:$/.test(protocol) && username + password === "" ? host.replace(/^www\./, "") : undefined;
}

/** A text that is nothing but an address at that host, as browsers write it: letters that look like others don't count. */
function isAddressAt(host: string, text: ReactNode): boolean {
  if (typeof text !== "string" || !text.toLowerCase().includes(host)) return false;
  return webHostOf(text) === host || webHostOf(`https://${text}`) === host;
}
