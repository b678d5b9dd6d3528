"""A page of a few lines for tests of the shell: it talks over the real bridge, and can be asked to misbehave."""

from __future__ import annotations

from pathlib import Path
from typing import Final

INDEX: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Oschat</title>
<link rel="stylesheet" href="page.css">
<script>globalThis.inlineRan = true;</script>
<script type="module" src="page.js"></script>
</head>
<body>
<p id="ready"></p>
<textarea id="box"></textarea>
<a id="out" href="http://192.0.2.1/" target="_blank">out</a>
<a id="file" href="page.css" download>download</a>
</body>
</html>
"""

STYLE: Final = "body { background: rgb(1, 2, 3); }"

SCRIPT: Final = """
const query = new URLSearchParams(location.search);
const base = location.href.replace(/[^/]*$/, '');
const socket = new WebSocket(`${base.replace('http', 'ws')}bridge?window=${query.get('window')}`);
const waiting = new Map();
let last = 0;
globalThis.events = [];
globalThis.violations = [];
document.addEventListener('securitypolicyviolation', (event) => violations.push(event.effectiveDirective));
globalThis.call = (method, args = {}) => new Promise((resolve) => {
  last += 1;
  waiting.set(last, resolve);
  socket.send(JSON.stringify({ id: last, method, args }));
});
socket.onmessage = (message) => {
  const data = JSON.parse(message.data);
  if (data.event) { events.push(data.event); return; }
  waiting.get(data.id)(data);
  waiting.delete(data.id);
};
socket.onopen = async () => {
  const answer = await call('start');
  document.getElementById('ready').textContent = answer.error ? answer.error.code : answer.result.window.kind;
};
// What is asked from outside runs as the page's own code, so that the page's policy holds for it.
const acts = {
  eval: () => { try { return String(eval('1 + 1')); } catch (error) { return error.name; } },
  html: () => {
    try { document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=1>'); return 'done'; }
    catch (error) { return error.name; }
  },
  fetch: (url) => fetch(url).then(() => 'fetched', (error) => error.name),
  socket: (url) => new Promise((resolve) => {
    try {
      const other = new WebSocket(url);
      other.onopen = () => resolve('opened');
      other.onerror = () => resolve('refused');
    } catch (error) { resolve(error.name); }
  }),
  frame: (url) => new Promise((resolve) => {
    const frame = document.createElement('iframe');
    frame.onload = () => {
      let inside = 'foreign';
      try { inside = frame.contentDocument?.URL ?? 'none'; } catch (error) { inside = error.name; }
      resolve(inside);
    };
    frame.src = url;
    document.body.append(frame);
  }),
  media: (kind) => navigator.mediaDevices
    ? navigator.mediaDevices.getUserMedia({ [kind]: true }).then(() => 'granted', (error) => error.name)
    : 'absent',
  open: (url) => String(window.open(url) === null),
  go: (url) => { location.href = url; return 'asked'; },
};
globalThis.act = (name, argument) => new Promise((resolve) => {
  setTimeout(async () => resolve(await acts[name](argument)), 0);
});
"""


def write_page(folder: Path) -> Path:
    """Write the page's files into `folder`, which is given back."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("index.html", INDEX), ("page.css", STYLE), ("page.js", SCRIPT)):
        (folder / name).write_text(text, "utf-8")
    return folder
