/** What all the pages of a list hold, one after the other. */
export async function* pages<T>(read: (cursor: string | undefined) => Promise<{ items: readonly T[]; next: string | null }>): AsyncGenerator<T> {
  let cursor: string | null | undefined;
  while (cursor !== null) {
    const { items, next }: { items: readonly T[]; next: string | null } = await read(cursor);
    yield* items;
    cursor = next;
  }
}
