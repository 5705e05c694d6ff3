import type { NamingNeeds } from "../secrets/set-secret.ts";
import type { OpenNeeds } from "../stores/open-store.ts";

/** What writing into a scope's store needs. */
export type PlaceNeeds = NamingNeeds & OpenNeeds & { readonly recoveryDays: number };
