import type { Outside } from "../secrets/write-secrets.ts";
import { runBatch } from "../store/run-batch.ts";
import { endWrites, forgetWrites } from "../store/store-write-rows.ts";
import { StoreError } from "../stores/store-driver.ts";
import { isNotDone, notEnded, notKnown, type OpenPlace, problemOf } from "./open-place.ts";
import type { PlaceNeeds } from "./place-needs.ts";

/** What is done in a store, and then here. */
interface Change<Result> {
  readonly there: () => Promise<unknown>;
  /** Does the same here, in one transaction with the statements that end what was begun. */
  readonly here: (outside: Outside) => Promise<Result>;
}

/**
 * Does what was begun: in the store, and when that has it, here.
 *
 * @throws {Problem} `store-refused` and what `there` throws where nothing has happened; `store-unavailable` where that is not known;
 *   `write-conflict`, and what `here` throws, where it could not be ended here: scheduled work does that, or the next write of the name.
 */
export async function changeThere<Result>(needs: PlaceNeeds, place: OpenPlace, operation: string, { there, here }: Change<Result>): Promise<Result> {
  const { db } = needs;
  try {
    await there();
  } catch (error) {
    const isKnown = !(error instanceof StoreError) || isNotDone(error);
    if (isKnown) await runBatch(db, [forgetWrites(db, [operation])]);
    if (!(error instanceof StoreError)) throw error;
    throw isKnown ? problemOf(place, error) : notKnown(place, error);
  }
  try {
    return await here({ statements: endWrites(db, [operation]) });
  } catch (error) {
    throw notEnded(place, error);
  }
}
