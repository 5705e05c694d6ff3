import { Problem } from "../../contract/problem.ts";

/**
 * Does a write here, or, where the scope turns out to be in a store, there: what is done here stops by itself then, before anything
 * has happened. So a scope that is in none costs nothing.
 *
 * @throws what the one that is done throws.
 */
export async function whereItIs<T>(here: () => Promise<T>, there: () => Promise<T>): Promise<T> {
  try {
    return await here();
  } catch (error) {
    if (error instanceof Problem && error.code === "scope-in-store") return there();
    throw error;
  }
}
