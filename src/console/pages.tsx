import type { ComponentType } from "preact";
import { decodePart } from "./address.ts";
import type { PageProps } from "./page-props.ts";
import { Audit } from "./pages/audit.tsx";
import { Authorize } from "./pages/authorize.tsx";
import { Device } from "./pages/device.tsx";
import { Health } from "./pages/health.tsx";
import { ImportPage } from "./pages/import.tsx";
import { LoginPage } from "./pages/login-page.tsx";
import { Logins } from "./pages/logins.tsx";
import { NewLogin } from "./pages/new-login.tsx";
import { NewSecret } from "./pages/new-secret.tsx";
import { NewService } from "./pages/new-service.tsx";
import { NewStore, StorePage } from "./pages/new-store.tsx";
import { NewTrust } from "./pages/new-trust.tsx";
import { NewValue } from "./pages/new-value.tsx";
import { NewWebhook } from "./pages/new-webhook.tsx";
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
import { WebhookPage } from "./pages/webhook.tsx";
import { Webhooks } from "./pages/webhooks.tsx";

interface Route {
  readonly pattern: RegExp;
  readonly page: ComponentType<PageProps>;
  /** The address of the entry in the menu to which it belongs. */
  readonly under: string;
}

/** The pages by their paths; the first that fits. */
const ROUTES: readonly Route[] = [
  { pattern: /^\/secrets\/?$/, page: Secrets, under: "/secrets" },
  { pattern: /^\/secrets\/([^/]+)$/, page: SecretPage, under: "/secrets" },
  { pattern: /^\/secrets\/([^/]+)\/value$/, page: NewValue, under: "/secrets" },
  { pattern: /^\/import$/, page: ImportPage, under: "/import" },
  { pattern: /^\/origin$/, page: Origin, under: "/origin" },
  { pattern: /^\/audit$/, page: Audit, under: "/audit" },
  { pattern: /^\/scopes$/, page: Scopes, under: "/scopes" },
  { pattern: /^\/tokens$/, page: Tokens, under: "/tokens" },
  { pattern: /^\/trusts$/, page: Trusts, under: "/trusts" },
  { pattern: /^\/trusts\/([^/]+)$/, page: TrustPage, under: "/trusts" },
  { pattern: /^\/services$/, page: Services, under: "/services" },
  { pattern: /^\/services\/([^/]+)$/, page: ServicePage, under: "/services" },
  { pattern: /^\/stores$/, page: Stores, under: "/stores" },
  { pattern: /^\/stores\/([^/]+)$/, page: StorePage, under: "/stores" },
  { pattern: /^\/logins$/, page: Logins, under: "/logins" },
  { pattern: /^\/logins\/([^/]+)$/, page: LoginPage, under: "/logins" },
  { pattern: /^\/webhooks$/, page: Webhooks, under: "/webhooks" },
  { pattern: /^\/webhooks\/([^/]+)$/, page: WebhookPage, under: "/webhooks" },
  // Not below what they make one of: something may be called new.
  { pattern: /^\/new\/secret$/, page: NewSecret, under: "/secrets" },
  { pattern: /^\/new\/trust$/, page: NewTrust, under: "/trusts" },
  { pattern: /^\/new\/login$/, page: NewLogin, under: "/logins" },
  { pattern: /^\/new\/service$/, page: NewService, under: "/services" },
  { pattern: /^\/new\/store$/, page: NewStore, under: "/stores" },
  { pattern: /^\/new\/webhook$/, page: NewWebhook, under: "/webhooks" },
  { pattern: /^\/health$/, page: Health, under: "/health" },
  { pattern: /^\/authorize$/, page: Authorize, under: "/session" },
  { pattern: /^\/device$/, page: Device, under: "/session" },
  { pattern: /^\/session$/, page: SessionPage, under: "/session" },
];

/** The menu: the groups with the pages in each. */
export const MENU: readonly { readonly group: string; readonly entries: Readonly<Record<string, string>> }[] = [
  { group: "Secrets", entries: { "/secrets": "Secrets", "/origin": "Where from", "/scopes": "Scopes", "/import": "Import" } },
  { group: "Access", entries: { "/tokens": "Tokens", "/trusts": "Trusts", "/logins": "Logins", "/services": "Services", "/stores": "Stores" } },
  { group: "Operation", entries: { "/audit": "Audit log", "/webhooks": "Webhooks", "/health": "Health" } },
];

/** The page of a path, and what the path names; `undefined` where there is none. */
export function pageOf(path: string): (Route & { readonly id: string }) | undefined {
  for (const route of ROUTES) {
    const found = route.pattern.exec(path);
    if (found) return { ...route, id: decodePart(found[1] ?? "") };
  }
  return undefined;
}
