/** Stands for the module of the tests' runtime where tests of the Worker run in Node. */
const deferred = new WeakMap<object, Promise<unknown>[]>();

export function createExecutionContext(): object {
  const work: Promise<unknown>[] = [];
  const context = { waitUntil: (promise: Promise<unknown>) => void work.push(promise), passThroughOnException: () => {}, props: {} };
  deferred.set(context, work);
  return context;
}

/** Waits for what a Worker does after its reply. */
export async function waitOnExecutionContext(context: object): Promise<void> {
  const work = deferred.get(context) ?? [];
  for (let done = 0; done < work.length; done++) await work[done];
}
