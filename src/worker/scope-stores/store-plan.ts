import type { Action } from "../../contract/audit.ts";
import type { Write } from "../secrets/write-secrets.ts";
import type { StoreWriteRow } from "../store/store-write-rows.ts";
import type { Verified } from "../transaction/verify-row.ts";

/** What is begun in a store, without its value. */
export type StorePlan = {
  readonly name: string;
  readonly operation: string;
  /** The deployment's own address, to which nothing is sent. */
  readonly address: string;
  /** The request that began it; left out in what was begun before plans said so. */
  readonly requestId?: string;
} & (
  | {
      readonly kind: "put";
      readonly action: Action;
      readonly write: Omit<Write, "value">;
      /** The version that a key which was deleted there comes back with before the value is written; left out where none comes back. */
      readonly restores?: string;
    }
  | { readonly kind: "delete" | "restore" }
);

/** The plan of a value that is written. */
export type PutPlan = Extract<StorePlan, { readonly kind: "put" }>;

/** A plan as it is kept. */
export function textOfPlan({ name: _, operation: __, ...plan }: StorePlan): string {
  return JSON.stringify(plan);
}

/** The plan that a row has. What its seal covers needs no more looks. */
export function planOf({ name, operation, plan }: Verified<StoreWriteRow>): StorePlan {
  return { name, operation, ...(JSON.parse(plan) as object) } as StorePlan;
}
