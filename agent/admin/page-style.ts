/** The style sheet: the system's font, one accent colour for problems, and no colour without a sign or a word. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #fbfbfa; --panel: #fff; --line: #dddcd8; --text: #1c1c1a; --soft: #5c5b56; --bad: #a8200d; --wait: #7a5200; --notice: #fdf3dc; --fill: #3f6f9f; --track: #e7e6e2; --alarm: #fdecea;
}
@media (prefers-color-scheme: dark) {
  :root { --ground: #131416; --panel: #1a1b1e; --line: #313338; --text: #e6e5e1; --soft: #a3a29c; --bad: #ff8f7a; --wait: #e8b85c; --notice: #33290f; --fill: #7fabd8; --track: #2b2d31; --alarm: #3a1d1a; }
}
* { box-sizing: border-box; margin: 0; }
body { padding: 1rem clamp(.75rem, 2vw, 2rem) 2rem; background: var(--ground); color: var(--text); font: .875rem/1.45 system-ui, sans-serif; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
body.gone main { opacity: .55; }
header { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; align-items: baseline; margin-bottom: 1rem; }
h1 { font-size: 1.375rem; font-weight: 650; letter-spacing: -.01em; }
h2 { font-size: .8125rem; font-weight: 600; color: var(--soft); margin-bottom: .4rem; }
header p, #notice { color: var(--soft); }
#notice { flex-basis: 100%; color: var(--bad); font-weight: 600; }
#health { font-size: 1.125rem; font-weight: 600; color: var(--text); }
.bad, .stop, #health.bad { color: var(--bad); }
.wait, #health.wait { color: var(--wait); }
#health small { font-size: .875rem; white-space: nowrap; }
.problems, .notice { background: var(--alarm); border: 1px solid var(--bad); border-radius: .375rem; padding: .5rem .75rem; margin-bottom: 1rem; list-style: none; font-size: .9375rem; }
.problems li + li { margin-top: .4rem; }
.problems, .problems small, .notice small { color: var(--text); font-size: .9375rem; }
.problems b, .notice b { font-size: 1.0625rem; }
.wait.problems, .notice { background: var(--notice); border-color: var(--wait); }
pre { white-space: pre-wrap; margin-top: .25rem; user-select: all; }
.heading { display: flex; gap: .75rem; align-items: baseline; }
.heading h2 { margin-right: auto; }
#held { color: var(--soft); font-size: .8125rem; }
button { font: inherit; font-size: .8125rem; color: inherit; background: var(--ground); border: 1px solid var(--soft); border-radius: .25rem; padding: .05rem .6rem; min-height: 1.5rem; cursor: pointer; }
#figures { display: grid; grid-template-columns: repeat(6, minmax(0, 1fr)); gap: 1px; background: var(--line); border: 1px solid var(--line); border-radius: .375rem; overflow: hidden; margin-bottom: 1rem; }
#figures div { background: var(--panel); padding: .55rem .75rem .6rem; }
#figures dt, #figures dd + dd { color: var(--soft); font-size: .8125rem; }
#figures dd { white-space: nowrap; }
#figures dt + dd { font-size: 1.5rem; line-height: 1.3; font-weight: 550; letter-spacing: -.02em; }
#figures .bad dt + dd { color: var(--bad); }
#figures .wait dt + dd { color: var(--wait); }
#figures .bad dt::after { content: " ▲"; color: var(--bad); }
#figures .spark + dd { font-size: .75rem; }
.spark svg { display: block; width: 100%; height: 1.75rem; margin-top: .25rem; }
.spark :is(path, polyline) { fill: none; stroke: var(--line); vector-effect: non-scaling-stroke; }
.spark polyline { stroke: var(--fill); stroke-width: 1.5; stroke-linecap: round; stroke-linejoin: round; }
.bad .spark polyline { stroke: var(--bad); }
#figures small { font-size: .875rem; font-weight: 400; color: var(--soft); }
#panels { display: grid; grid-auto-flow: dense; grid-template-columns: repeat(3, minmax(0, 1fr)); align-items: start; gap: 1rem; }
section { min-width: 0; background: var(--panel); border: 1px solid var(--line); border-radius: .375rem; padding: .65rem .75rem .75rem; }
#recent, #decisions { grid-column: span 2; }
#recent:not(:has(table)) button { display: none; }
#configuration, section:first-child { grid-column: 1 / -1; }
#top:first-child { grid-column: auto; }
#top, #recent { align-self: stretch; }
#backend:not(:first-child) { grid-row: span 2; }
#configuration dl, section:first-child dl { columns: 20rem 3; column-gap: 2rem; }
#configuration dl { columns: 2; }
section dl div { break-inside: avoid; }
table { width: 100%; border-collapse: collapse; table-layout: fixed; }
#recent th:first-child, #recent th:nth-child(6) { width: 5rem; }
#recent th:nth-child(2), #recent th:nth-child(3) { width: 22%; }
#recent th:nth-child(4) { width: 13%; }
#recent th:last-child { width: 6.5rem; }
#decisions th:nth-child(n + 2) { width: 14%; }
#decisions th:nth-child(4) { width: 22%; }
#top th:first-child { width: 47%; }
#top th:last-child { width: 8rem; }
th { font-weight: 400; color: var(--soft); font-size: .8125rem; }
th, td { text-align: left; vertical-align: top; padding: .2rem .75rem .2rem 0; border-bottom: 1px solid var(--line); }
tr:last-child td { border-bottom: 0; padding-bottom: 0; }
th:last-child, td:last-child { padding-right: 0; }
.number { text-align: right; white-space: nowrap; }
section dl div { display: grid; grid-template-columns: 9.5rem 1fr; gap: .75rem; padding: .15rem 0; }
section dt { color: var(--soft); }
code { font: .8125rem ui-monospace, monospace; }
.bar { display: inline-block; width: 3.5rem; height: .5rem; margin-left: .5rem; fill: var(--track); }
.bar rect + rect { fill: var(--fill); }
a { color: inherit; }
footer { margin-top: 1rem; color: var(--soft); }
@media (max-width: 76rem) {
  #figures { grid-template-columns: repeat(3, minmax(0, 1fr)); }
  #panels { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  #top, #top:first-child { grid-column: span 2; }
}
@media (max-width: 40rem) {
  #panels { grid-template-columns: minmax(0, 1fr); }
  #top, #top:first-child, #recent, #decisions { grid-column: auto; }
  #configuration dl { columns: 1; }
  #figures { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  #figures dt + dd { font-size: 1.25rem; }
  #figures dd + dd { white-space: normal; }
  section dl div { grid-template-columns: 7.5rem 1fr; }
  thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
  table, tbody { display: block; }
  tr { display: grid; grid-template-columns: 1fr 1fr; gap: 0 .75rem; padding: .4rem 0; border-bottom: 1px solid var(--line); }
  tr:last-child { border-bottom: 0; padding-bottom: 0; }
  td { border: 0; padding: 0; }
  td.number { text-align: left; }
  td::before { content: attr(data-name) " "; color: var(--soft); font-size: .75rem; }
  #recent td:nth-child(2), #top td:first-child { grid-column: 1 / -1; }
}
`;
