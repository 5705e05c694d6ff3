import type { LeaseAsk } from "../secrets/record-leased.ts";
import type { LeasedAnswer } from "../secrets/resolve-leased.ts";
import type { ResolveForm } from "./native/resolve-body.ts";
import type { VaultForm } from "./vault/vault-content.ts";

/** How the native front gave an answer that is kept, and its entity tag. */
export type NativeForm = ResolveForm & { readonly etag: string };
/** How an answer that is kept was given, by whichever front. */
export type KeptForm = NativeForm | VaultForm;

const asks = new WeakMap<Request, LeaseAsk<LeasedAnswer<KeptForm>>>();

/** Takes note of what a request asks of a lease, for the route that answers it. */
export function noteLeaseAsk(request: Request, ask: LeaseAsk<LeasedAnswer<KeptForm>>): void {
  asks.set(request, ask);
}

/** What a request asks of a lease; `undefined` for one that is to be answered strictly. */
export function leaseAskOf(request: Request): LeaseAsk<LeasedAnswer<KeptForm>> | undefined {
  return asks.get(request);
}
