/** A code in the address's fragment (`#code=…`), which is taken out of the address and of the history at once. */
export function takeCode(name: "code" | "user_code" = "code"): string | undefined {
  const code = new URLSearchParams(location.hash.slice(1)).get(name);
  if (code !== null) history.replaceState(null, "", location.pathname + location.search);
  return code === null || code === "" ? undefined : code;
}
