// Trusted Types: what may become markup, and the report of everything that tried to.
//
// Imported before anything else. lit brings its own policy ("lit-html") for our static templates. The default policy
// is asked by code that is not ours: pywebview's host script writes one known style sheet through innerHTML, whose
// effect (no text selection) is not wanted here, so it gets an empty one. Everything else is refused and reported.

const HOST_STYLE =
  'body {-webkit-user-select: none; -khtml-user-select: none; -ms-user-select: none; user-select: none; cursor: default;}';

let send = null;
const waiting = [];

/** Send a problem to Python's log; kept (20 at most) until the bridge stands. */
export function reportProblem(text) {
  const short = String(text).slice(0, 1900);
  if (send) send(short);
  else if (waiting.length < 20) waiting.push(short);
}

/** Connect the reports to the bridge. */
export function reportTo(sender) {
  send = sender;
  if (send) for (const text of waiting.splice(0)) send(text);
}

window.trustedTypes?.createPolicy('default', {
  createHTML(markup) {
    if (markup !== HOST_STYLE) {
      reportProblem(`Markup refused: ${markup}`);
      return null;
    }
    return '';
  },
  createScript(code) {
    reportProblem(`Script refused: ${code}`);
    return null;
  },
  createScriptURL(url) {
    reportProblem(`Script address refused: ${url}`);
    return null;
  },
});

window.addEventListener('error', (event) => {
  // A ResizeObserver that needs a second frame is not a fault.
  if (String(event.message).startsWith('ResizeObserver loop')) return;
  reportProblem(`${event.message} at ${event.filename}:${event.lineno}:${event.colno}\n${event.error?.stack ?? ''}`);
});
window.addEventListener('unhandledrejection', (event) => {
  const reason = event.reason;
  // A refused call that nobody handled; the code says more than a stack.
  reportProblem(`Unhandled rejection: ${reason?.code ?? ''} ${reason?.stack ?? reason?.text ?? reason}`);
});
document.addEventListener('securitypolicyviolation', (event) => {
  reportProblem(
    `Policy violation: ${event.violatedDirective} refused ${event.blockedURI || 'inline'} ` +
      `at ${event.sourceFile}:${event.lineNumber} ${event.sample}`,
  );
});
