// Finds links in a message's text: http, https and mailto only, and never more than is shown.
//
// Pure. A link's text is exactly what was typed. Characters that could make it look like another (bidirectional
// controls, zero-width characters) end it; a host that is not plain ASCII is told beside it in its ASCII form.

const WEB_START = /https?:\/\/(\[[0-9a-f:.]+\]|[\p{L}\p{N}\p{M}.-]+)/giu;
const WEB_REST = /(?::\d{1,5})?(?:[/?#][A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%|]*)?/y;
const MAIL = /mailto:[\w.!#$%&'*+/=?^`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?:\?[\w=&%+.-]*)?/gi;
const WORD_BEFORE = /[A-Za-z0-9_]$/;
const TRAILING = /[.,;:!?'*_~|]+$/;

function* candidates(text) {
  for (const match of text.matchAll(WEB_START)) {
    // Chinese needs no space after an address: an ASCII host ends where Chinese begins.
    const foreign = /^[A-Za-z0-9]/.test(match[1]) ? match[1].search(/\p{Script=Han}/u) : -1;
    if (foreign >= 0) {
      yield { index: match.index, link: match[0].slice(0, match[0].length - match[1].length + foreign) };
      continue;
    }
    WEB_REST.lastIndex = match.index + match[0].length;
    yield { index: match.index, link: match[0] + WEB_REST.exec(text)[0] };
  }
  for (const match of text.matchAll(MAIL)) yield { index: match.index, link: match[0] };
}

/** Without the punctuation that ends the sentence around it; brackets that it opened itself stay. */
function trim(link) {
  let end = link;
  for (;;) {
    let shorter = end.replace(TRAILING, '');
    for (const [open, close] of ['()', '[]']) {
      if (shorter.endsWith(close) && shorter.split(close).length > shorter.split(open).length) {
        shorter = shorter.slice(0, -1);
      }
    }
    if (shorter === end) return end;
    end = shorter;
  }
}

function parse(link) {
  try {
    const url = new URL(link);
    return ['http:', 'https:', 'mailto:'].includes(url.protocol) && !url.username ? url : null;
  } catch {
    return null; // Not an address after all: it stays text.
  }
}

/** The text in parts: { text } or { text, url, ascii }; `ascii` is the host's ASCII form where it differs, else ''. */
export function split(text) {
  const found = [];
  for (const { index, link } of candidates(text)) {
    if (WORD_BEFORE.test(text.slice(Math.max(0, index - 1), index))) continue;
    const shown = trim(link);
    const url = parse(shown);
    if (url)
      found.push({ index, text: shown, url: url.href, ascii: url.hostname.includes('xn--') ? url.hostname : '' });
  }
  found.sort((one, other) => one.index - other.index);
  const parts = [];
  let at = 0;
  for (const { index, ...link } of found) {
    if (index < at) continue;
    if (index > at) parts.push({ text: text.slice(at, index) });
    parts.push(link);
    at = index + link.text.length;
  }
  if (at < text.length) parts.push({ text: text.slice(at) });
  return parts;
}
