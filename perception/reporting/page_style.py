# SPDX-License-Identifier: Apache-2.0
"""The HTML frame and style of every report, readable on phones and desktops."""

from __future__ import annotations

TEMPLATE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{title}}</title>
<style>
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, "DejaVu Sans", sans-serif; color: #22272e; background: #f5f6f8; margin: 0; }
main { max-width: 1180px; margin: 0 auto; padding: 16px; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 8px 0; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 24px 0 8px; }
p { margin: 8px 0; overflow-wrap: anywhere; }
.note { color: #8a5a00; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 10px; margin: 16px 0; }
.tiles div { background: #fff; border-radius: 8px; padding: 10px 12px; }
.tiles b { display: block; font-size: 1.35rem; line-height: 1.3; overflow-wrap: anywhere; }
.tiles span { color: #5d6670; font-size: .9rem; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 12px; }
figure { margin: 0 0 14px; background: #fff; border-radius: 8px; padding: 8px; }
.plots { margin-bottom: 14px; align-items: start; }
.plots figure { margin: 0; }
img { display: block; width: 100%; height: auto; border-radius: 4px; }
figcaption { color: #5d6670; font-size: .9rem; padding: 6px 4px 0; }
.tables { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 340px), 1fr)); gap: 0 20px; }
.tables section { min-width: 0; }
.tables .wide { grid-column: 1 / -1; }
.scroll { overflow-x: auto; background: #fff; border-radius: 8px; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 5px 12px; border-bottom: 1px solid #eceef1; vertical-align: top; }
th { font-weight: 500; }
thead th { color: #5d6670; font-size: .9rem; vertical-align: bottom; }
td { overflow-wrap: anywhere; }
.wide td, .wide thead th { text-align: right; white-space: nowrap; }
.wide thead th:first-child { text-align: left; }
.wide thead th { white-space: normal; }
.prose td, .prose thead th { text-align: left; white-space: normal; overflow-wrap: break-word; }
.prose td:nth-child(2) { white-space: nowrap; }
tr:last-child th, tr:last-child td { border-bottom: 0; }
</style>
</head>
<body><main>
{{body}}
</main></body>
</html>
"""
