import type { ComponentType } from "preact";
import type { Address } from "./address.ts";
import { Audit } from "./pages/audit.tsx";
import { ImportPage } from "./pages/import.tsx";
import { NewSecret } from "./pages/new-secret.tsx";
import { NewValue } from "./pages/new-value.tsx";
import { Origin } from "./pages/origin.tsx";
import { SecretPage } from "./pages/secret.tsx";
import { Secrets } from "./pages/secrets.tsx";
import { SessionPage } from "./pages/session.tsx";

/** What each page is given: its address, and what its path names. */
export interface PageProps {
  readonly address: Address;
  readonly id: string;
}

interface Route {
  readonly pattern: RegExp;
  readonly page: ComponentType<PageProps>;
  /** The address of the entry in the menu to which it belongs. */
  readonly under: string;
}

/** The pages by their paths; the first that fits. */
const ROUTES: readonly Route[] = [
  { pattern: /^\/secrets\/?$/, page: Secrets, under: "/secrets" },
  { pattern: /^\/secrets\/new$/, page: NewSecret, under: "/secrets" },
  { pattern: /^\/secrets\/([^/]+)$/, page: SecretPage, under: "/secrets" },
  { pattern: /^\/secrets\/([^/]+)\/value$/, page: NewValue, under: "/secrets" },
  { pattern: /^\/import$/, page: ImportPage, under: "/import" },
  { pattern: /^\/origin$/, page: Origin, under: "/origin" },
  { pattern: /^\/audit$/, page: Audit, under: "/audit" },
  { pattern: /^\/session$/, page: SessionPage, under: "/session" },
];

/** The menu: the groups with the pages in each. */
export const MENU: readonly { readonly group: string; readonly entries: Readonly<Record<string, string>> }[] = [
  { group: "Secrets", entries: { "/secrets": "Secrets", "/origin": "Where from", "/import": "Import" } },
  { group: "Operation", entries: { "/audit": "Audit log" } },
];

/** The page of a path, and what the path names; `undefined` where there is none. */
export function pageOf(path: string): (Route & { readonly id: string }) | undefined {
  for (const route of ROUTES) {
    const found = route.pattern.exec(path);
    if (found) return { ...route, id: decode(found[1] ?? "") };
  }
  return undefined;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
