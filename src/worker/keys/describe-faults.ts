import type { Keyring } from "../envelope/keyring.ts";
import { KEY_FAULTS } from "../transaction/key-fault.ts";
import type { Fault, KeyFaults } from "./check-keys.ts";

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

/** The faults of keys as `/readyz` has them. */
export function describeFaults({ current, faults }: Keyring, found: KeyFaults): KeyFindings {
  const describe = ([id, fault]: readonly [string, Fault]): KeyFinding => ({
    part: "keyring",
    detail: fault === "unusable" ? (faults.get(id) ?? `KEYRING: the key ${id} cannot be used`) : KEY_FAULTS[fault](id),
  });
  const stops = ([id, fault]: readonly [string, Fault]) => id === current && fault !== "mixed";
  const all = [...found];
  return { unusable: all.filter(stops).map(describe), degraded: all.filter((one) => !stops(one)).map(describe) };
}
