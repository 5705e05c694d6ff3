/** What the event of a scope that is put into a store says it was done to. A scope, a store's name and a prefix have no spaces. */
export function boundTarget({ scope, store, prefix }: { readonly scope: string; readonly store: string; readonly prefix: string }): string {
  return `${scope} in ${store} ${prefix}`;
}

/** The same of a scope that is taken out of its store. */
export function unboundTarget({ scope, store }: { readonly scope: string; readonly store: string }): string {
  return `${scope} in ${store}`;
}
