import type { ComponentType } from "preact";
import { decodePart } from "./address.ts";
import type { PageProps } from "./page-props.ts";
import { Audit } from "./pages/audit.tsx";
import { Authorize } from "./pages/authorize.tsx";
import { Device } from "./pages/device.tsx";
import { Health } from "./pages/health.tsx";
import { ImportPage } from "./pages/import.tsx";
import { NewSecret } from "./pages/new-secret.tsx";
import { NewService } from "./pages/new-service.tsx";
import { NewTrust } from "./pages/new-trust.tsx";
import { NewValue } from "./pages/new-value.tsx";
import { Origin } from "./pages/origin.tsx";
import { Scopes } from "./pages/scopes.tsx";
import { SecretPage } from "./pages/secret.tsx";
import { Secrets } from "./pages/secrets.tsx";
import { ServicePage } from "./pages/service.tsx";
import { Services } from "./pages/services.tsx";
import { SessionPage } from "./pages/session.tsx";
import { Stores } from "./pages/stores.tsx";
import { Tokens } from "./pages/tokens.tsx";
import { TrustPage } from "./pages/trust.tsx";
import { Trusts } from "./pages/trusts.tsx";

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
  { pattern: /^\/scopes$/, page: Scopes, under: "/scopes" },
  { pattern: /^\/tokens$/, page: Tokens, under: "/tokens" },
  { pattern: /^\/trusts$/, page: Trusts, under: "/trusts" },
  { pattern: /^\/trusts\/new$/, page: NewTrust, under: "/trusts" },
  { pattern: /^\/trusts\/([^/]+)$/, page: TrustPage, under: "/trusts" },
  { pattern: /^\/services$/, page: Services, under: "/services" },
  { pattern: /^\/services\/new$/, page: NewService, under: "/services" },
  { pattern: /^\/services\/([^/]+)$/, page: ServicePage, under: "/services" },
  { pattern: /^\/stores$/, page: Stores, under: "/stores" },
  { pattern: /^\/health$/, page: Health, under: "/health" },
  { pattern: /^\/authorize$/, page: Authorize, under: "/session" },
  { pattern: /^\/device$/, page: Device, under: "/session" },
  { pattern: /^\/session$/, page: SessionPage, under: "/session" },
];

/** The menu: the groups with the pages in each. */
export const MENU: readonly { readonly group: string; readonly entries: Readonly<Record<string, string>> }[] = [
  { group: "Secrets", entries: { "/secrets": "Secrets", "/origin": "Where from", "/scopes": "Scopes", "/import": "Import" } },
  { group: "Access", entries: { "/tokens": "Tokens", "/trusts": "Trusts", "/services": "Services", "/stores": "Stores" } },
  { group: "Operation", entries: { "/audit": "Audit log", "/health": "Health" } },
];

/** The page of a path, and what the path names; `undefined` where there is none. */
export function pageOf(path: string): (Route & { readonly id: string }) | undefined {
  for (const route of ROUTES) {
    const found = route.pattern.exec(path);
    if (found) return { ...route, id: decodePart(found[1] ?? "") };
  }
  return undefined;
}
