// What was said: a window of bounded size over any number of messages, whose place never jumps.
//
// Only messages `lo` to `hi` of the list are in the DOM. Whatever changes (older ones come in at the top, rows leave
// at the bottom, a line wraps differently), the row that the person looks at stays where it is, or the end stays in
// view where they were at the end. The browser's own anchoring is off: WebKit has none.

import { OcElement } from '../element.js';
import { badge, clock, dayName, fullTime, onlyEmoji, plainLine, plainText } from '../format.js';
import { errorText, t } from '../i18n.js';
import { split } from '../links.js';
import { around } from '../messages.js';
import { avatar, icon, nameOf } from '../parts.js';
import { html, nothing, repeat } from '../vendor/lit.js';

const MOST = 200; // Messages in the DOM.
const STEP = 60; // Messages that come or go at once.
const NEAR = 800; // Pixels from the edge at which more are drawn.
const SPOKEN_MS = 3000;
const AT_END = 24; // Pixels within which the end counts as in view.
const NO_FRAME_MS = 200; // A window that is out of sight gets no frames.

function nextFrame() {
  return new Promise((resolve) => {
    const patience = setTimeout(resolve, NO_FRAME_MS);
    requestAnimationFrame(() => {
      clearTimeout(patience);
      resolve();
    });
  });
}

class Timeline extends OcElement {
  static properties = {
    conversation: { attribute: false },
    messages: { attribute: false },
    peer: { attribute: false },
    firstUnread: { attribute: false },
    marked: { attribute: false },
    hasOlder: { attribute: false },
    older: { attribute: false },
    typing: { attribute: false },
    lo: { state: true },
    hi: { state: true },
    stuck: { state: true },
    spoken: { state: true },
  };

  constructor() {
    super();
    this.messages = [];
    this.lo = 0;
    this.hi = 0;
    this.stuck = true; // To the end.
    this.spoken = '';
    this.anchor = null;
    this.drawn = 0; // Of how many messages the DOM shows a part.
  }

  connectedCallback() {
    super.connectedCallback();
    const observer = new ResizeObserver(() => this.#settle());
    this.updateComplete.then(() => {
      observer.observe(this.node('scroller'));
      observer.observe(this.node('content'));
    });
    this.until(() => observer.disconnect());
    this.until(() => clearTimeout(this.silence));
  }

  // Drawn once a frame, however many messages come in it: each drawing costs the layout of all that is in the DOM.
  async scheduleUpdate() {
    if (this.hasUpdated) await nextFrame();
    super.scheduleUpdate();
  }

  willUpdate(changed) {
    // The person may have scrolled just now: the event for it comes only with the next frame.
    if (this.hasUpdated && this.#sameSize && this.node('scroller').scrollTop !== this.scrollTop_) this.#measure();
    if (changed.has('conversation')) {
      this.begin = true;
      this.spoken = '';
    }
    if (this.begin && this.messages.length > 0) this.#firstWindow();
    else if (changed.has('messages')) this.#follow(changed.get('messages') ?? []);
    this.drawn = this.messages.length;
  }

  update(changed) {
    super.update(changed);
    if (this.begin && this.messages.length > 0) {
      this.begin = false;
      this.#firstPlace();
    } else this.#settle();
    if (changed.has('messages')) this.#speak(changed.get('messages') ?? []);
    this.#look();
  }

  #firstWindow() {
    const { length } = this.messages;
    const unread = this.messages.findIndex((one) => this.firstUnread > 0 && !one.mine && one.seq >= this.firstUnread);
    this.hi = unread < 0 ? length : Math.min(length, unread + STEP * 2);
    this.lo = Math.max(0, Math.min(unread < 0 ? length : unread, this.hi) - STEP);
  }

  #firstPlace() {
    const scroller = this.node('scroller');
    const marker = this.node('unread-marker');
    scroller.scrollTop = marker ? marker.offsetTop - scroller.clientHeight / 4 : scroller.scrollHeight;
    this.#measure();
  }

  /** Keep the window on the same messages when the list has changed. */
  #follow(before) {
    const { messages } = this;
    if (messages.length === 0 || before.length === 0) {
      this.hi = messages.length;
      this.lo = Math.max(0, this.hi - STEP * 2);
      return;
    }
    const newest = messages[messages.length - 1];
    if (newest.mine && newest.state === 'waiting' && !before.some((one) => one.key === newest.key)) this.stuck = true;
    const atEnd = this.hi >= before.length;
    const first = before[this.lo]?.key;
    const at = first === undefined ? -1 : messages.findIndex((one) => one.key === first);
    const size = this.hi - this.lo;
    if (this.stuck) {
      this.hi = messages.length;
      this.lo = Math.max(0, at >= 0 ? at : this.hi - STEP * 2, this.hi - MOST);
      return;
    }
    const lo = at >= 0 ? at : Math.max(0, Math.min(this.lo, messages.length - size));
    // Older ones that came in are drawn at once: what stood above the first row may go, and it must not move up.
    this.lo = this.lo === 0 ? Math.max(0, lo - STEP) : lo;
    this.hi = Math.min(messages.length, this.lo + MOST, atEnd ? messages.length : lo + size);
  }

  // A scroll that comes with a change of size is the browser's doing, not the person's.
  #scrolled = () => {
    if (this.#sameSize) this.#measure();
    else this.#settle();
    this.#look();
  };

  get #sameSize() {
    const { scrollHeight, clientHeight } = this.node('scroller');
    return scrollHeight === this.scrollHeight_ && clientHeight === this.clientHeight_;
  }

  /** Note where the person is: at the end, or at which row. */
  #measure() {
    const scroller = this.node('scroller');
    const below = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
    this.scrollHeight_ = scroller.scrollHeight;
    this.clientHeight_ = scroller.clientHeight;
    this.scrollTop_ = scroller.scrollTop;
    this.stuck = this.hi >= this.drawn && below < AT_END; // More may wait for the next frame.
    this.anchor = null;
    const top = scroller.scrollTop;
    for (const row of this.node('content').children) {
      if (row.dataset.key && row.offsetTop + row.offsetHeight > top) {
        this.anchor = { key: row.dataset.key, offset: row.offsetTop - top };
        break;
      }
    }
    this.#told();
  }

  /** Put the person back where they were. */
  #settle() {
    const scroller = this.node('scroller');
    if (!scroller) return;
    if (this.stuck) scroller.scrollTop = scroller.scrollHeight;
    else if (this.anchor) {
      const row = this.querySelector(`[data-key="${CSS.escape(this.anchor.key)}"]`);
      const wanted = row ? row.offsetTop - this.anchor.offset : scroller.scrollTop;
      if (Math.abs(wanted - scroller.scrollTop) >= 1) scroller.scrollTop = wanted;
    }
    this.#measure();
  }

  /** Draw more where an edge comes near, and ask for older ones at the very top. */
  #look() {
    if (this.isUpdatePending) return; // It looks again when that is drawn.
    const scroller = this.node('scroller');
    const { length } = this.messages;
    const below = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
    if (scroller.scrollTop < NEAR && this.lo > 0) {
      this.lo = Math.max(0, this.lo - STEP);
      this.hi = Math.min(this.hi, this.lo + MOST);
    } else if (below < NEAR && this.hi < length) {
      this.hi = Math.min(length, this.hi + STEP);
      this.lo = Math.max(this.lo, this.hi - MOST);
    }
    if (scroller.scrollTop < NEAR && this.lo === 0 && this.hasOlder && this.older === 'idle' && length > 0) {
      this.tell('get-older');
    }
  }

  #told() {
    if (this.stuck === this.toldBottom && this.messages === this.toldOf) return;
    this.toldBottom = this.stuck;
    this.toldOf = this.messages;
    this.tell('timeline-moved', { bottom: this.stuck });
  }

  /** New messages of others, for screen readers; older history says nothing. */
  #speak(before) {
    const last = before[before.length - 1];
    if (!last) return;
    const from = this.messages.findLastIndex((one) => one.key === last.key);
    if (from < 0) return;
    const fresh = this.messages.slice(from + 1).filter((one) => !one.mine && one.text);
    if (fresh.length === 0) return;
    const text = fresh.slice(-3).map((one) => `${plainLine(this.peer.name)}: ${plainText(one.text).slice(0, 500)}`);
    // Said once, then taken away again, so that nobody meets it twice while reading on.
    queueMicrotask(() => {
      this.spoken = text.join('\n');
    });
    clearTimeout(this.silence);
    this.silence = setTimeout(() => {
      this.spoken = '';
    }, SPOKEN_MS);
  }

  #toEnd = () => {
    this.hi = this.messages.length;
    this.lo = Math.max(0, this.hi - STEP * 2);
    this.stuck = true;
    this.requestUpdate();
  };

  #clicked = (event) => {
    const link = event.target.closest('a');
    if (!link) return;
    event.preventDefault();
    this.tell('open-link', { url: link.dataset.url });
  };

  render() {
    const { messages, lo, hi } = this;
    const shown = messages.slice(lo, hi);
    const unread = messages.filter((one) => !one.mine && one.seq > this.marked).length;
    return html`<div class="timeline">
      <div
        class="timeline-scroller"
        tabindex="0"
        role="region"
        aria-label=${t('timeline-label', { name: plainLine(this.peer.name) })}
        data-scroller
        @scroll=${this.#scrolled}
        @click=${this.#clicked}
        @auxclick=${this.#clicked}
      >
        <div class="timeline-content" role="list" data-content>
          ${lo === 0 ? this.#top() : nothing}
          ${repeat(
            shown,
            (message) => message.key,
            (message, index) => this.#message(message, lo + index),
          )}
          ${hi === messages.length && this.typing ? this.#typing() : nothing}
        </div>
      </div>
      ${
        this.stuck || messages.length === 0
          ? nothing
          : html`<button class="timeline-jump" type="button" aria-label=${t('timeline-to-end')} title=${t('timeline-to-end')} data-to-end @click=${this.#toEnd}>
            ${icon('arrow-down')} ${unread > 0 ? html`<span class="badge">${badge(unread)}</span>` : nothing}
          </button>`
      }
      <div class="visually-hidden" role="log" aria-live="polite" aria-label=${t('timeline-new')} data-log>${this.spoken}</div>
    </div>`;
  }

  #top() {
    if (this.older === 'loading') {
      return html`<div class="timeline-top" role="listitem"><span class="spinner" aria-hidden="true"></span>${t('timeline-loading')}</div>`;
    }
    if (this.older?.code) {
      return html`<div class="timeline-top" role="listitem">
        <span>${errorText(this.older)}</span>
        <button class="button button-small" type="button" @click=${() => this.tell('get-older')}>${t('action-retry')}</button>
      </div>`;
    }
    if (this.hasOlder) return html`<div class="timeline-top" role="listitem"></div>`;
    return html`<div class="timeline-begin" role="listitem">
      ${avatar(this.peer, { size: 'huge', presence: '' })}
      <p class="timeline-begin-name">${nameOf(this.peer)}</p>
      <p class="timeline-begin-text">${this.messages.length ? t('timeline-begin') : t('timeline-empty')}</p>
    </div>`;
  }

  #message(message, index) {
    const { day, unread, first, last } = around(this.messages, index, this.firstUnread);
    const side = message.mine ? 'is-mine' : 'is-theirs';
    return html`${day ? html`<div class="day" role="listitem"><span class="day-name">${dayName(message.at)}</span></div>` : nothing}
      ${
        unread
          ? html`<div class="unread-marker" role="listitem" data-unread-marker><span class="unread-text">${t('timeline-unread')}</span></div>`
          : nothing
      }
      <div
        class="message ${side} is-${message.state} ${first ? 'is-first' : ''} ${last ? 'is-last' : ''}"
        role="listitem"
        data-key=${message.key}
        data-state=${message.state}
      >
        ${message.mine ? nothing : html`<span class="message-avatar">${first ? avatar(this.peer, { presence: '' }) : nothing}</span>`}
        <div class="message-body">
          <span class="visually-hidden">${message.mine ? t('message-from-me') : plainLine(this.peer.name)}:</span>
          <div class="bubble" dir="auto">
            ${
              message.state === 'unsupported'
                ? html`<p class="message-text is-note"><span class="message-words">${t('message-unsupported')}</span></p>`
                : html`<p class="message-text">${this.#words(message.text)}</p>`
            }
            <span class="message-facts" title=${fullTime(message.at)}>
              <time datetime=${new Date(message.at).toISOString()}>${clock(message.at)}</time>${message.mine ? this.#state(message) : nothing}
            </span>
          </div>
          ${message.state === 'failed' ? this.#failed(message) : nothing}
        </div>
      </div>`;
  }

  // Without a blank between the tags: a message's text keeps its white space.
  #words(text) {
    const parts = split(plainText(text)).map((part) =>
      part.url
        ? html`<a class="link" href=${part.url} data-url=${part.url} draggable="false" rel="noreferrer noopener" title=${part.url}
            ><bdi>${part.text}</bdi>${part.ascii ? html`<bdi class="link-host"> (${part.ascii})</bdi>` : nothing}</a
          >`
        : part.text,
    );
    return html`<span class="message-words ${onlyEmoji(text) ? 'is-emoji' : ''}" data-text>${parts}</span>`;
  }

  #state(message) {
    const [name, text] = {
      waiting: ['clock-3', t('message-waiting')],
      sent: ['check', t('message-sent')],
      read: ['check-check', t('message-read')],
      failed: ['circle-alert', t('message-failed')],
    }[message.state] ?? ['check', t('message-sent')];
    return html`<span class="message-state" role="img" aria-label=${text} title=${text}>${icon(name)}</span>`;
  }

  #failed(message) {
    const { key, error } = message;
    return html`<div class="message-failed">
      <span class="message-why">${error ? errorText(error) : t('message-failed')}</span>
      <button class="link-button" type="button" data-retry @click=${() => this.tell('retry-message', { key })}>${t('action-retry')}</button>
      <button class="link-button" type="button" data-discard @click=${() => this.tell('discard-message', { key })}>${t('action-discard')}</button>
    </div>`;
  }

  #typing() {
    return html`<div class="message is-theirs is-first is-last is-typing" role="listitem" data-typing>
      <span class="message-avatar">${avatar(this.peer, { presence: '' })}</span>
      <div class="message-body">
        <div class="bubble typing-dots" role="img" aria-label=${t('conversation-typing')}>
          <span class="typing-dot"></span><span class="typing-dot"></span><span class="typing-dot"></span>
        </div>
      </div>
    </div>`;
  }
}

customElements.define('oc-timeline', Timeline);
