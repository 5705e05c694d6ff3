import type { FoundToken } from "./find-token.ts";

/** Where a request is for: a service, what comes after its own address here, and that address; and where its token was. */
export interface AddressedUse extends FoundToken {
  readonly service: string;
  readonly path: string;
  readonly query: string;
  readonly base: string;
}
