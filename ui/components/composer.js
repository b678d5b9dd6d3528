// The composer: grows with the text, keeps a draft, sends on Enter, breaks the line on Shift+Enter.

import { OcElement } from '../element.js';
import { count, plainLine } from '../format.js';
import { errorText, t } from '../i18n.js';
import { icon } from '../parts.js';
import { html, nothing } from '../vendor/lit.js';
import './emoji-picker.js';

/** A message's greatest length in Unicode code points: protocol/limits.py, MAX_TEXT_CHARACTERS. */
export const MAX_TEXT = 10_000;
const TELL_FROM = 9_500;
const DRAFT_MS = 400;
const TYPING_MS = 2000;

class Composer extends OcElement {
  static properties = {
    bridge: { attribute: false },
    conversation: { attribute: false },
    draft: { attribute: false },
    peer: { attribute: false },
    length: { state: true },
    error: { state: true },
    picking: { state: true },
  };

  constructor() {
    super();
    this.draft = '';
    this.length = 0;
    this.error = null;
    this.picking = false;
    this.saved = '';
    this.typingAt = 0;
    this.confirmed = false;
  }

  connectedCallback() {
    super.connectedCallback();
    this.listen(window, 'pagehide', () => this.#saveDraft());
    this.listen(document, 'visibilitychange', () => this.#saveDraft());
    this.until(() => this.#leave());
  }

  get input() {
    return this.node('input');
  }

  focusInput() {
    this.input?.focus();
  }

  willUpdate(changed) {
    if (changed.has('conversation') && changed.get('conversation')) this.#leave(changed.get('conversation'));
  }

  updated(changed) {
    if (changed.has('conversation') && this.input) {
      this.input.value = this.draft;
      this.saved = this.draft;
      this.error = null;
      this.picking = false;
      this.#measure();
    }
  }

  #leave(conversation = this.conversation) {
    this.#saveDraft(conversation);
    this.#typing(false, conversation);
  }

  #saveDraft(conversation = this.conversation) {
    clearTimeout(this.timer);
    const text = this.input?.value;
    if (text === undefined || text === this.saved || !conversation) return;
    this.saved = text;
    this.bridge.call('save_draft', { conversation, text: text.slice(0, 50_000) }).catch(() => {
      this.saved = null; // Saved again at the next chance.
    });
  }

  #typing(on, conversation = this.conversation) {
    const now = performance.now();
    if (on ? this.typingAt && now - this.typingAt < TYPING_MS : !this.typingAt) return;
    this.typingAt = on ? now : 0;
    this.bridge.call('set_typing', { conversation, on }).catch(() => {
      this.typingAt = 0;
    });
  }

  #edited = () => {
    this.error = null;
    this.#measure();
    this.#typing(this.input.value !== '');
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#saveDraft(), DRAFT_MS);
  };

  #measure() {
    const { input } = this;
    input.style.height = 'auto';
    input.style.height = `${input.scrollHeight}px`;
    const text = input.value;
    this.length = text.length < TELL_FROM ? text.length : [...text].length;
  }

  // Enter that confirms an input method's candidate must not send. Chromium marks it as composing; WebKit ends the
  // composition first and sends the key after it, in the same turn of the event loop.
  #composed = () => {
    this.confirmed = true;
    setTimeout(() => {
      this.confirmed = false;
    });
  };

  #key = (event) => {
    if (event.key === 'Escape' && this.picking) {
      this.picking = false;
      event.stopPropagation();
      return;
    }
    if (event.key !== 'Enter' || event.shiftKey || event.altKey) return;
    if (event.isComposing || event.keyCode === 229 || this.confirmed) return;
    event.preventDefault();
    if (!event.repeat) this.#send();
  };

  async #send() {
    const { input, conversation } = this;
    // Blank lines around it are not meant; the indent of a first line is.
    const text = input.value.replace(/^(?:[ \t]*\n)+/, '').trimEnd();
    if (text.trim() === '' || [...text].length > MAX_TEXT) return;
    input.value = '';
    this.error = null;
    this.#measure();
    clearTimeout(this.timer);
    this.typingAt = 0; // The message itself ends it for the peer.
    try {
      const sent = this.bridge.call('send_message', { conversation, text });
      this.#saveDraft();
      await sent;
    } catch (error) {
      // Nothing typed is lost: it comes back unless something new stands there.
      if (conversation === this.conversation && input.value === '') {
        input.value = text;
        this.#edited();
      }
      this.error = error;
    }
  }

  #insert = (event) => {
    const { input } = this;
    input.setRangeText(event.detail.emoji, input.selectionStart, input.selectionEnd, 'end');
    this.#edited();
  };

  render() {
    if (this.peer.disabled) {
      return html`<div class="composer is-closed"><p class="composer-closed">${icon('lock')} ${t('composer-disabled')}</p></div>`;
    }
    const over = this.length > MAX_TEXT;
    const empty = this.length === 0;
    return html`<div class="composer" data-composer-root>
      ${
        this.error
          ? html`<p class="field-error composer-error" role="alert" data-error=${this.error.code}>
            ${icon('circle-alert')}<span>${errorText(this.error)}</span>
          </p>`
          : nothing
      }
      <div class="composer-box">
        <textarea
          class="composer-input"
          data-input
          rows="1"
          dir="auto"
          placeholder=${t('composer-placeholder')}
          aria-label=${t('composer-label', { name: plainLine(this.peer.name) })}
          aria-invalid=${over ? 'true' : 'false'}
          @input=${this.#edited}
          @keydown=${this.#key}
          @compositionend=${this.#composed}
          @blur=${() => {
            this.#saveDraft();
            this.#typing(false);
          }}
        ></textarea>
        ${
          this.length >= TELL_FROM
            ? html`<span class="composer-count ${over ? 'is-over' : ''}" role="status">
              ${count(this.length)} / ${count(MAX_TEXT)}
            </span>`
            : nothing
        }
        <button
          class="icon-button composer-emoji"
          type="button"
          aria-label=${t('emoji-title')}
          title=${t('emoji-title')}
          aria-expanded=${this.picking ? 'true' : 'false'}
          data-emoji-button
          @click=${() => {
            this.picking = !this.picking;
          }}
        >
          ${icon('smile')}
        </button>
        <button
          class="icon-button composer-send"
          type="button"
          aria-label=${t('composer-send')}
          title=${t('composer-send-hint')}
          ?disabled=${empty || over}
          data-send
          @click=${() => {
            this.#send();
            this.focusInput();
          }}
        >
          ${icon('send-horizontal')}
        </button>
      </div>
      ${
        this.picking
          ? html`<oc-emoji-picker
            @pick-emoji=${this.#insert}
            @close=${() => {
              this.picking = false;
              this.focusInput();
            }}
          ></oc-emoji-picker>`
          : nothing
      }
    </div>`;
  }
}

customElements.define('oc-composer', Composer);
