/** The style of the API page. It needs no font, image or other file. */
export const DOCS_STYLE = `
:root {
  color-scheme: light dark;
  --text: light-dark(#1d2430, #dfe4ec);
  --dim: light-dark(#5a6678, #98a4b6);
  --back: light-dark(#ffffff, #12161d);
  --panel: light-dark(#f5f7fa, #1a2029);
  --line: light-dark(#dde3eb, #2b3442);
  --link: light-dark(#0b57c2, #7fb2ff);
  --get: light-dark(#0a6b4f, #5fd3a8);
  --put: light-dark(#8a5200, #f0b35a);
  --post: light-dark(#0b57c2, #7fb2ff);
  --patch: light-dark(#6b3fb5, #bd9bff);
  --delete: light-dark(#b3202e, #ff8a8a);
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.55 system-ui, sans-serif; }
a { color: var(--link); text-decoration: none; }
a:hover, a:focus { text-decoration: underline; }
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 0.875em; }
code { background: var(--panel); border-radius: 4px; padding: 0.1em 0.3em; overflow-wrap: anywhere; }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; margin: 0.5rem 0 1rem; overflow-x: auto; padding: 0.8rem 1rem; }
pre code { background: none; overflow-wrap: normal; padding: 0; }
h1 { font-size: 1.9rem; margin: 0 0 0.5rem; }
h2 { border-bottom: 1px solid var(--line); font-size: 1.4rem; margin: 3rem 0 0.5rem; padding-bottom: 0.3rem; }
h3 { font-size: 1.15rem; margin: 0 0 0.3rem; }
h4 { color: var(--dim); font-size: 0.8rem; letter-spacing: 0.05em; margin: 1.2rem 0 0.3rem; text-transform: uppercase; }
p { margin: 0.4rem 0 0.8rem; max-width: 46rem; }
.page { display: grid; grid-template: "nav header" auto "nav main" 1fr / 17rem minmax(0, 1fr); margin: 0 auto; max-width: 76rem; }
nav { grid-area: nav; border-right: 1px solid var(--line); font-size: 0.875rem; height: 100vh; overflow-y: auto; padding: 2rem 1rem; position: sticky; top: 0; }
nav ul { list-style: none; margin: 0 0 1.2rem; padding: 0; }
nav li { margin: 0.25rem 0; }
nav strong { display: block; }
header { grid-area: header; padding: 2rem 1.5rem 0 2.5rem; }
main { grid-area: main; padding: 0 1.5rem 6rem 2.5rem; }
article { border: 1px solid var(--line); border-radius: 10px; margin: 1.2rem 0; padding: 1.2rem 1.4rem; }
article:target { border-color: var(--link); }
.call { align-items: baseline; display: flex; flex-wrap: wrap; gap: 0.6rem; margin: 0 0 0.6rem; }
.call code { background: none; font-size: 0.95rem; padding: 0; }
.method { font: 700 0.8rem ui-monospace, monospace; }
.get { color: var(--get); } .put { color: var(--put); } .post { color: var(--post); } .patch { color: var(--patch); } .delete { color: var(--delete); }
.table { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.9rem; min-width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: 0.4rem 0.9rem 0.4rem 0; text-align: left; vertical-align: top; }
th { color: var(--dim); font-weight: 600; }
td:first-child code { white-space: nowrap; }
.dim { color: var(--dim); font-size: 0.85rem; }
details { border-top: 1px solid var(--line); padding: 0.45rem 0; }
summary { cursor: pointer; }
details pre { margin-bottom: 0.5rem; }
.status { font-weight: 700; }
@media (max-width: 60rem) {
  .page { display: block; }
  nav { border: 0; height: auto; padding: 1rem; position: static; }
  header { padding: 1rem 1rem 0; }
  main { padding: 0 1rem 4rem; }
  article { padding: 0.9rem; }
}
@media print { nav { display: none; } .page { display: block; } }
`;
