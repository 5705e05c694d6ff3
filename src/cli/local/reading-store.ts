import { isDeepStrictEqual } from "node:util";
import { readStore, type Store } from "./store-file.ts";

/**
 * Does something with what the file holds, and with values of it; once more where that fails and somebody else has changed the file
 * meanwhile: a value that was replaced is no longer where the file said.
 */
export async function readingStore<T>(path: string, read: (store: Store | undefined) => Promise<T>): Promise<T> {
  for (;;) {
    const store = readStore(path);
    try {
      return await read(store);
    } catch (error) {
      if (isDeepStrictEqual(readStore(path), store)) throw error;
    }
  }
}
