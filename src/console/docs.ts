/** The pieces of the page: each operation, and each part of a guide, with the link to it in the list of contents. */
const pieces = [...document.querySelectorAll<HTMLElement>("main article")].map((article) => ({
  article,
  text: (article.textContent ?? "").toLowerCase(),
  link: document.querySelector(`nav a[href="#${CSS.escape(article.id)}"]`)?.closest("li") ?? null,
}));
const groups = document.querySelectorAll<HTMLElement>("main section, nav details");
const field = document.querySelector<HTMLInputElement>("#search");
const found = document.querySelector("#found");

/** Shows the pieces that have all words of the search, and of the groups those that have any left. */
function search(query: string): void {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const { article, text, link } of pieces) {
    const fits = words.every((word) => text.includes(word));
    if (fits) count++;
    article.hidden = !fits;
    if (link) link.hidden = !fits;
  }
  for (const group of groups) {
    group.hidden = group.querySelector(group instanceof HTMLDetailsElement ? "li:not([hidden])" : "article:not([hidden])") === null;
    if (group instanceof HTMLDetailsElement) group.open = words.length > 0;
  }
  if (found) found.textContent = words.length === 0 ? "" : `${count} of ${pieces.length}`;
}

field?.addEventListener("input", () => search(field.value));
field?.form?.addEventListener("submit", (event) => event.preventDefault());
// A link leads to what it names, also where the search has hidden that.
document.addEventListener("click", ({ target }) => {
  const link = target instanceof Element ? target.closest<HTMLAnchorElement>('main a[href^="#"]') : null;
  if (link && field && field.value !== "") {
    field.value = "";
    search("");
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || document.activeElement === field || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  field?.focus();
});
