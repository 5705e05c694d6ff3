import type { Address } from "./address.ts";

/** What each page is given: its address, and what its path names. */
export interface PageProps {
  readonly address: Address;
  readonly id: string;
}
