import type { StoreRefusal } from "./store-driver.ts";

/** What a refusal is to people: what ends "The store NAME …:". Nothing of what the store has said is in it. */
export const REFUSAL_WORDS: Readonly<Record<StoreRefusal, string>> = {
  address: "nothing may be sent to its address",
  credential: "its credentials are wrong, have expired, or are not trusted there",
  permission: "it does not allow its credentials to do this",
  throttled: "it has no room for more calls just now",
  unreachable: "nobody answers at its address, or only with errors",
  "too-slow": "it did not answer in time",
  "too-large": "it has, or takes, no value of this size",
  conflict: "others are changing it",
  "deleted-name": "it has deleted the key",
  name: "it has no such key, field or version",
  endless: "it lists more than can be gone through",
  reply: "it does not answer as such a store does",
};
