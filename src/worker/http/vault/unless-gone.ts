import { Problem } from "../../../contract/problem.ts";

/** To delete what is not there is done: so Vault answers, and clients that clean up rely on it. */
export async function unlessGone(deletion: Promise<unknown>): Promise<void> {
  try {
    await deletion;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** Whether an error says that a secret is not there. */
export function isNotFound(error: unknown): boolean {
  return error instanceof Problem && error.code === "secret-not-found";
}
