/** The style of the reference: two columns on a wide screen, one on a narrow one, and the colours that the reader prefers. */
export const REFERENCE_STYLE = `:root {
  color-scheme: light dark;
  --text: light-dark(#1c2024, #e6e8eb);
  --quiet: light-dark(#5b6470, #a0a8b3);
  --ground: light-dark(#ffffff, #14171a);
  --panel: light-dark(#f4f6f8, #1d2226);
  --line: light-dark(#dde2e7, #30373d);
  --link: light-dark(#0b5cad, #7ab8ff);
  --get: light-dark(#0a6b3d, #6fd3a0);
  --write: light-dark(#8a4b00, #f0b266);
  --delete: light-dark(#a3201d, #ff9d97);
}
* { box-sizing: border-box }
html { scroll-padding-top: 1rem; -webkit-text-size-adjust: 100% }
body {
  margin: 0;
  color: var(--text);
  background: var(--ground);
  font: 1rem/1.55 system-ui, -apple-system, 'Segoe UI', sans-serif;
}
a { color: var(--link); text-decoration: none }
a:hover, a:focus-visible { text-decoration: underline }
code, pre, .type { font-family: ui-monospace, 'SF Mono', Menlo, Consolas, monospace; font-size: .875em }
p code, td code { background: var(--panel); padding: .1em .3em; border-radius: .25em }
pre {
  background: var(--panel);
  border: 1px solid var(--line);
  border-radius: .5rem;
  padding: .75rem 1rem;
  margin: .5rem 0 1rem;
  overflow-x: auto;
  line-height: 1.45;
}
pre code { font-size: .84rem }
nav { padding: 1rem; border-bottom: 1px solid var(--line); font-size: .9rem }
nav summary { font-weight: 600; cursor: pointer }
nav ul { list-style: none; margin: .25rem 0 0; padding: 0 }
nav ul ul { padding-left: .9rem; margin-bottom: .5rem }
nav > details > ul > li > a { font-weight: 600 }
nav li { padding: .12rem 0 }
main { padding: 1rem; max-width: 56rem }
h1 { font-size: 1.9rem; line-height: 1.2; margin: .5rem 0 }
h2 { font-size: 1.5rem; margin: 3rem 0 0; padding-top: 1rem; border-top: 2px solid var(--line) }
h3 { font-size: 1.2rem; margin: 2.5rem 0 .25rem }
h4 { font-size: .95rem; margin: 1.25rem 0 .25rem }
h2 a, h3 a { color: inherit }
.version, .verb, .limits { color: var(--quiet); font-size: .9rem }
.version, .verb { margin: .25rem 0 }
.route { margin: .25rem 0; overflow-wrap: anywhere }
.route code { background: none; padding: 0; font-size: 1rem }
.method { font-weight: 700; font-size: .85rem; color: var(--write) }
.method.get { color: var(--get) }
.method.delete { color: var(--delete) }
.status { font-variant-numeric: tabular-nums; color: var(--quiet); font-weight: 600 }
.required { color: var(--delete); font-size: .8rem; font-weight: 400; white-space: nowrap }
.members { width: 100%; border-collapse: collapse; margin: .25rem 0 1rem }
.members th, .members td { text-align: left; vertical-align: top; padding: .5rem .75rem .5rem 0; border-top: 1px solid var(--line) }
.members th { width: 15rem; font-weight: 600 }
.members th code { background: none; padding: 0 }
.members td { overflow-wrap: anywhere }
.type { color: var(--quiet) }
tr:target, article:target > h3 { background: var(--panel) }
.problems { list-style: none; padding: 0; margin: .25rem 0; display: flex; flex-wrap: wrap; gap: .25rem 1rem; font-size: .9rem; color: var(--quiet) }
main details > summary { cursor: pointer; color: var(--link); font-size: .9rem }
@media (min-width: 60rem) {
  body { display: grid; grid-template-columns: 18rem minmax(0, 1fr) }
  nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; border-bottom: 0; border-right: 1px solid var(--line); padding: 1.5rem 1rem }
  main { padding: 1.5rem 3rem 6rem }
}
@media (max-width: 59.99rem) {
  nav ul ul { display: none }
  nav > details > ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem }
}
@media (max-width: 40rem) {
  .members, .members tbody, .members tr, .members th, .members td { display: block; width: auto }
  .members tr { border-top: 1px solid var(--line); padding: .5rem 0 }
  .members th, .members td { border: 0; padding: 0 }
}
`
