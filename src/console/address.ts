import { useEffect, useState } from "preact/hooks";

/** Where the console is on its origin. */
const BASE = "/console";

/** A page's address below the console: its path, which begins with `/`, and its query. */
export interface Address {
  readonly path: string;
  readonly query: URLSearchParams;
}

const MOVED = "keyhole:moved";

function current(): Address {
  const path = location.pathname.slice(BASE.length) || "/";
  return { path, query: new URLSearchParams(location.search) };
}

/** The `href` of a page. What a query leaves empty is not in it. */
export function hrefOf(path: string, query: Readonly<Record<string, string | undefined>> = {}): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== "");
  const search = new URLSearchParams(given).toString();
  return `${BASE}${path}${search && `?${search}`}`;
}

/** Goes to a page; `replace` leaves no way back to the one before. */
export function goTo(href: string, { replace = false }: { replace?: boolean } = {}): void {
  if (replace) history.replaceState(null, "", href);
  else history.pushState(null, "", href);
  window.dispatchEvent(new Event(MOVED));
}

/** The address of now, with each that follows. Links to the console's own pages lead there without loading it anew. */
export function useAddress(): Address {
  const [address, setAddress] = useState(current);
  useEffect(() => {
    const moved = () => setAddress(current());
    const clicked = (event: MouseEvent) => follow(event);
    window.addEventListener(MOVED, moved);
    window.addEventListener("popstate", moved);
    document.addEventListener("click", clicked);
    return () => {
      window.removeEventListener(MOVED, moved);
      window.removeEventListener("popstate", moved);
      document.removeEventListener("click", clicked);
    };
  }, []);
  return address;
}

function follow(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (!link || link.origin !== location.origin || link.target !== "" || link.hasAttribute("download")) return;
  if (link.pathname !== BASE && !link.pathname.startsWith(`${BASE}/`)) return;
  // A link within the page stays the browser's.
  if (link.hash !== "" && link.pathname === location.pathname) return;
  event.preventDefault();
  goTo(link.href);
}

/** A part of a path, decoded; as it is where it is not encoded rightly. */
export function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
