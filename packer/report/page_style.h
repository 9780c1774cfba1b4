// How a report's page looks.
#pragma once

#include <string_view>

namespace sb3lm {

inline constexpr std::string_view kPageStyle = R"(
:root { color-scheme: light dark; --ink: #1d2230; --dim: #5d6678; --paper: #fff; --line: #d9dde6; --soft: #f1f3f7 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7e9ef; --dim: #a3abbc; --paper: #14171f; --line: #333a48; --soft: #1e232e }
}
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 1100px; padding: 16px; background: var(--paper); color: var(--ink);
       font: 16px/1.45 system-ui, sans-serif; overflow-wrap: anywhere }
h1 { font-size: 1.35rem; margin: .2em 0 } h2 { font-size: 1.05rem; margin: 1.8em 0 .5em }
p { margin: .4em 0 } .dim { color: var(--dim) }
.big { font-size: 1.9rem; font-weight: 650; font-variant-numeric: tabular-nums; line-height: 1.2 }
.gauge { position: relative; height: 14px; border-radius: 7px; background: var(--soft); overflow: hidden; margin: 8px 0 }
.gauge i { position: absolute; inset: 0 auto 0 0; background: #3d7dd8 } .gauge.over i { background: #d8483d }
svg { display: block; width: 100%; height: auto; border-radius: 6px } svg.narrow { display: none }
svg text { fill: #fff; pointer-events: none; font-family: system-ui, sans-serif }
svg rect { stroke: var(--paper) }
@media (max-width: 640px) { svg.wide { display: none } svg.narrow { display: block } }
.row { display: grid; grid-template-columns: 9.5em 1fr 6.5em; gap: 2px 10px; align-items: center; padding: 5px 0;
       border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums }
.row > :nth-child(3) { text-align: right }
.bar { position: relative; height: 16px; border-radius: 3px; overflow: hidden }
.bar i, .bar b { position: absolute; inset: 0 auto 0 0; border-radius: 3px } .bar i { opacity: .4 }
.note { grid-column: 1 / -1; color: var(--dim); font-size: .85rem }
.scroll { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th { color: var(--dim); font-weight: 500 } th, td { text-align: right; padding: 5px 8px; border-bottom: 1px solid var(--line) }
th:first-child, td:first-child { text-align: left; padding-left: 0 } .word { text-align: left } code { font-size: .9em }
.over { color: #d8483d; font-weight: 600 } .gauge.over { color: inherit }
@media (max-width: 640px) {
  body { padding: 12px } .row { grid-template-columns: 1fr 6.5em } .row .bar { grid-column: 1 / -1; grid-row: 2 }
  th, td { padding: 5px 4px }
}
)";

}  // namespace sb3lm
