import { matches, type Pattern } from "./pattern.ts";
import { RESERVED } from "./reserved-names.ts";
import { envName, type SecretName } from "./secret-name.ts";

/** A pattern that reserves names, and what it is of: a category of Keyhole's own list. */
export interface Reservation {
  readonly pattern: Pattern;
  readonly category: string;
}

/** Keyhole's own list, a pattern at a time. */
const OWN: readonly Reservation[] = RESERVED.flatMap(({ category, names }) => names.split(/\s+/).map((name) => ({ pattern: name as Pattern, category })));

/** The variables that no secret may become, whatever the deployment says: exact names, and families by their beginning. */
export const ALWAYS_RESERVED: readonly Pattern[] = OWN.map(({ pattern }) => pattern);

const EXACT = new Map(OWN.map((reservation) => [reservation.pattern as string, reservation]));
const FAMILIES = OWN.filter(({ pattern }) => pattern.endsWith("*"));

/** What reserves a variable in Keyhole's own list, or `undefined`. */
export function reservationOf(variable: string): Reservation | undefined {
  return EXACT.get(variable) ?? FAMILIES.find(({ pattern }) => matches(pattern, variable));
}

/** Whether the variable that a secret would become is reserved, by Keyhole or by the deployment. */
export function isReserved(name: SecretName, deployment: readonly Pattern[]): boolean {
  const variable = envName(name);
  return reservationOf(variable) !== undefined || deployment.some((pattern) => matches(pattern, variable));
}

/**
 * Why a secret may not have a name, in a sentence, or `undefined` when it may. Compared is the name exactly as it is: one
 * that only becomes such a variable (`user`) is stored, and left out where it would be one.
 */
export function whyReserved(name: SecretName, deployment: readonly Pattern[]): string | undefined {
  const own = reservationOf(name);
  if (own) return `${name} is reserved by the pattern ${own.pattern} in Keyhole's own list (${own.category}).`;
  const configured = deployment.find((pattern) => matches(pattern, name));
  return configured && `${name} is reserved by the pattern ${configured} in the deployment's RESERVED_NAMES.`;
}
