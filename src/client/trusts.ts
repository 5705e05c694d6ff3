import { namedCalls } from "./named-calls.ts";
import { readReply } from "./read-reply.ts";
import { refusalList, trustBody, trustPage, trustTest } from "./readers/trusts.ts";
import type { Send } from "./send.ts";
import type { CallOptions } from "./types/calls.ts";
import type { PutTrust, TrustBody, TrustCalls, TrustPage, TrustRefusal, TrustTest } from "./types/trusts.ts";

/** Trusts in OIDC issuers. */
export function trustCalls(send: Send): TrustCalls {
  const { at, calls } = namedCalls<PutTrust, TrustBody, TrustBody, TrustPage>(send, {
    path: "/v1/trusts",
    made: trustBody,
    body: trustBody,
    page: trustPage,
    itemsOf: ({ trusts }) => trusts,
  });
  return {
    ...calls,
    async test(name: string, identityToken: string, options: CallOptions = {}): Promise<TrustTest> {
      return readReply(await send({ method: "POST", path: `${at(name)}/test`, json: { subject_token: identityToken }, ...options }), trustTest);
    },
    async refusals(name: string, options: CallOptions = {}): Promise<TrustRefusal[]> {
      return (await readReply(await send({ method: "GET", path: `${at(name)}/refusals`, ...options }), refusalList)).refusals;
    },
  };
}
