/** As much of KV as the Worker uses, in memory: what was put is there at once. */
export function openMemoryKv(): object {
  const entries = new Map<string, string>();
  return {
    put: async (key: string, value: string) => void entries.set(key, value),
    delete: async (key: string) => void entries.delete(key),
    list: async ({ prefix = "" }: { prefix?: string } = {}) => ({
      keys: [...entries.keys()]
        .filter((name) => name.startsWith(prefix))
        .sort()
        .map((name) => ({ name })),
      list_complete: true,
    }),
    get: async (keys: string | readonly string[]) =>
      typeof keys === "string" ? (entries.get(keys) ?? null) : new Map(keys.map((key) => [key, entries.get(key) ?? null])),
  };
}
