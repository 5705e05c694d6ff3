import type { Scope } from "../../contract/scope.ts";
import type { SecretName } from "../../contract/secret-name.ts";

/** Which secret a call is about: by its id, or by its scope and name. */
export type SecretSelector = { readonly id: string } | { readonly scope: Scope; readonly name: SecretName };
