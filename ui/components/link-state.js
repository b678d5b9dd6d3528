// How the link to the server stands, where it is not simply there: connecting, or waiting for the next attempt.

import { OcElement } from '../element.js';
import { errorText, t } from '../i18n.js';
import { icon } from '../parts.js';
import { html, nothing } from '../vendor/lit.js';

// A link that is back within this time was not worth a word.
const PATIENCE_MS = 800;

class LinkState extends OcElement {
  static properties = {
    bridge: { attribute: false },
    link: { attribute: false },
    shown: { state: true },
    patience: { type: Number },
  };

  constructor() {
    super();
    this.shown = false;
    this.patience = PATIENCE_MS;
  }

  connectedCallback() {
    super.connectedCallback();
    this.until(() => {
      clearTimeout(this.timer);
      clearInterval(this.ticking);
      this.timer = undefined;
      this.ticking = undefined;
    });
  }

  willUpdate(changed) {
    if (!changed.has('link')) return;
    const troubled = this.link.state === 'connecting' || this.link.state === 'waiting';
    if (!troubled) {
      clearTimeout(this.timer);
      this.timer = undefined;
      this.shown = false;
    } else if (!this.shown) {
      this.timer ??= setTimeout(() => {
        this.shown = true;
      }, this.patience);
    }
    clearInterval(this.ticking);
    if (this.link.state === 'waiting') this.ticking = setInterval(() => this.requestUpdate(), 1000);
  }

  render() {
    if (!this.shown) return nothing;
    const { state, retry_at: retryAt, error } = this.link;
    if (state === 'connecting') {
      return html`<div class="link-state" role="status" data-link="connecting">
        <span class="spinner" aria-hidden="true"></span><span class="link-state-text">${t('link-connecting')}</span>
      </div>`;
    }
    const seconds = Math.max(0, Math.ceil(((retryAt ?? Date.now()) - Date.now()) / 1000));
    return html`<div class="link-state is-waiting" data-link="waiting">
      ${icon('wifi-off')}
      <span class="link-state-text">
        <strong role="status">${t('link-offline')}</strong>
        <span class="link-state-why" title=${error ? errorText(error) : ''}>
          ${seconds > 0 ? t('link-retry-in', { seconds }) : t('link-connecting')}
        </span>
      </span>
      <button
        class="button button-small"
        type="button"
        data-reconnect
        @click=${() => this.bridge.call('reconnect_now').catch(() => this.requestUpdate())}
      >
        ${t('link-reconnect')}
      </button>
    </div>`;
  }
}

customElements.define('oc-link-state', LinkState);
