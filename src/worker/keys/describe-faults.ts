import type { Keyring } from "../envelope/keyring.ts";
import type { KeyFault, KeyFaults } from "./check-keys.ts";

/** A part of the Worker, and what is wrong with it, for its operator. Nothing of a key is in it. */
interface KeyFinding {
  readonly part: "keyring";
  readonly detail: string;
}

/** What is wrong with the keyring: what nothing can be written with, and what only keeps some values from being read. */
export interface KeyFindings {
  readonly unusable: readonly KeyFinding[];
  readonly degraded: readonly KeyFinding[];
}

/** What each fault is called, with the name of the key. */
const DETAILS: { readonly [fault in Exclude<KeyFault, "unusable">]: (id: string) => string } = {
  missing: (id) => `KEYRING lacks the key ${id}, and versions are under it`,
  wrong: (id) => `KEYRING: the key ${id} is another one than what is under this id was wrapped with`,
  mixed: (id) => `KEYRING: some of what is under the id ${id} was wrapped with another key`,
};

/** The faults of keys as `/readyz` has them. */
export function describeFaults({ current, faults }: Keyring, found: KeyFaults): KeyFindings {
  const describe = ([id, fault]: readonly [string, KeyFault]): KeyFinding => ({
    part: "keyring",
    detail: fault === "unusable" ? (faults.get(id) ?? `KEYRING: the key ${id} cannot be used`) : DETAILS[fault](id),
  });
  const stops = ([id, fault]: readonly [string, KeyFault]) => id === current && fault !== "mixed";
  const all = [...found];
  return { unusable: all.filter(stops).map(describe), degraded: all.filter((one) => !stops(one)).map(describe) };
}
