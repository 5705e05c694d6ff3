import type { LoginBody, PutLogin, PutService, PutStore, PutTrust, ServiceBody, StoreBody, TrustBody } from "../client/create-client.ts";

/** What makes a trust as it is: for the undo, and for a change of a part of it. */
export function trustDefinition({ issuer, audience, claims, permissions, expires_in, reuse, lease_seconds, ...trust }: TrustBody): PutTrust {
  const { jwks, jwks_url, secret_scopes, secret_names, services } = trust;
  return {
    ...{ issuer, audience, claims, permissions, expires_in, reuse, lease_seconds },
    ...(jwks && { jwks: jwks as PutTrust["jwks"] }),
    ...(jwks_url !== null && { jwks_url }),
    ...(secret_scopes && { secret_scopes }),
    ...(secret_names && { secret_names }),
    ...(services && { services }),
  };
}

/** The same of a login. */
export function loginDefinition({ issuer, client_id, client_secret, scopes, claims, permissions, expires_in, ...login }: LoginBody): PutLogin {
  const { secret_scopes, secret_names, services } = login;
  return {
    ...{ issuer, client_id, scopes, claims, permissions, expires_in },
    ...(client_secret && { client_secret }),
    ...(secret_scopes && { secret_scopes }),
    ...(secret_names && { secret_names }),
    ...(services && { services }),
  };
}

/** The same of a store. */
export function storeDefinition({ name, revision, identity, created_at, created_by, updated_at, updated_by, ...definition }: StoreBody): PutStore {
  return definition as PutStore;
}

/** The same of a service, as it is shown to whoever may write it. */
export function serviceDefinition({ name, builtin, revision, created_at, created_by, updated_at, updated_by, ...service }: ServiceBody): PutService {
  const { preset, inject, ...definition } = service;
  if (preset === null) return { ...definition, inject } as PutService;
  // What a preset puts in follows from the name of its secret.
  return { ...definition, preset, secret: secretOf(service) } as PutService;
}

/** The secret of a service that was made of a preset. */
export function secretOf({ inject }: Pick<ServiceBody, "inject">): string {
  return /\$\{([^}]+)\}/.exec(JSON.stringify(inject ?? []))?.[1] ?? "";
}
