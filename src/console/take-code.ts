type CodeName = "code" | "user_code";

/** A code in the address's fragment (`#code=…`), which is taken out of the address and of the history at once. */
export function takeCode(name: CodeName): string | undefined {
  const code = new URLSearchParams(location.hash.slice(1)).get(name);
  if (code !== null) history.replaceState(null, "", location.pathname + location.search);
  return code === null || code === "" ? undefined : code;
}

/** Calls `take` with each code that is put into the address of the page while it is open: nothing is loaded anew by that. Returns what ends it. */
export function onCode(name: CodeName, take: (code: string) => void): () => void {
  const changed = () => {
    const code = takeCode(name);
    if (code !== undefined) take(code);
  };
  window.addEventListener("hashchange", changed);
  return () => window.removeEventListener("hashchange", changed);
}
