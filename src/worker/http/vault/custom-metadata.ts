import { problemOfErrors } from "../../../contract/problem.ts";
import { SECRET_METADATA } from "../../../contract/secret-metadata.ts";
import type { SecretRow } from "../../secrets/get-secret.ts";
import { orNull } from "./vault-reply.ts";

type Labels = Readonly<Record<string, string>>;

/** A secret's labels as `custom_metadata`, which is `null` where there are none. */
export function customMetadataOf({ labels }: Pick<SecretRow, "labels">): Labels | null {
  return orNull(SECRET_METADATA.labels.fromColumn(labels));
}

/**
 * `custom_metadata` as a secret's labels.
 *
 * @throws {Problem} `invalid-request` where labels are more narrow.
 */
export function labelsOf(metadata: Labels): Record<string, string> {
  const { data, error } = SECRET_METADATA.labels.request.safeParse(metadata);
  if (error)
    throw problemOfErrors(
      "invalid-request",
      error.issues.map(({ path, message }) => ({ pointer: `/custom_metadata/${path.join("/")}`, detail: message })),
    );
  return data ?? {};
}
