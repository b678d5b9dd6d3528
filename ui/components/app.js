// The root: starts with Python, holds what every window must know, and shows the log-in, the roster or a conversation.

import { useAppearance } from '../appearance.js';
import { OcElement } from '../element.js';
import { errorText, t, useLanguage } from '../i18n.js';
import { emptyState, icon } from '../parts.js';
import { html, nothing } from '../vendor/lit.js';
import './conversation.js';
import './login.js';
import './main.js';

// A short interruption is not worth a picture.
const PATIENCE_MS = 400;

class App extends OcElement {
  static properties = {
    bridge: { attribute: false },
    start: { state: true },
    app: { state: true },
    lost: { state: true },
    failed: { state: true },
    speaking: { state: true },
  };

  constructor() {
    super();
    this.start = null;
    this.app = null;
    this.lost = false;
    this.failed = null;
    this.speaking = false;
  }

  connectedCallback() {
    super.connectedCallback();
    this.until(this.bridge.on('open', () => this.#begin()));
    this.until(this.bridge.on('app_changed', ({ app }) => this.#take(app)));
    this.until(
      this.bridge.on('lost', () => {
        this.patience ??= setTimeout(() => {
          this.lost = true;
        }, PATIENCE_MS);
      }),
    );
    this.#speak('system');
  }

  async #begin() {
    clearTimeout(this.patience);
    this.patience = null;
    this.lost = false;
    try {
      const start = await this.bridge.call('start');
      this.start = start;
      this.failed = null;
      this.#take(start.app);
    } catch (error) {
      if (error.code !== 'bridge_lost') this.failed = error;
    }
  }

  #take(app) {
    this.app = app;
    useAppearance(app.appearance);
    this.#speak(app.language);
    if (this.start?.window.kind === 'main') this.#title(app);
  }

  async #speak(setting) {
    await useLanguage(setting);
    this.speaking = true;
  }

  #title(app) {
    const name = app.organisation ? `${app.organisation} – Oschat` : 'Oschat';
    const title = app.unread > 0 ? `(${app.unread}) ${name}` : name;
    if (title === this.title_) return;
    this.title_ = title;
    document.title = title;
    this.bridge.call('set_title', { title }).catch(() => {
      this.title_ = ''; // The next change tries again.
    });
  }

  render() {
    if (!this.speaking) return nothing;
    if (this.failed) return html`<main class="app-place">${this.#problem(errorText(this.failed))}</main>`;
    if (!this.start)
      return html`<main class="app-place" aria-busy="true">${this.lost ? this.#problem() : nothing}</main>`;
    return html`${this.#window()} ${this.lost ? this.#veil() : nothing}`;
  }

  #window() {
    const { window, native } = this.start;
    const ready = this.app.phase === 'ready';
    if (window.kind === 'conversation') {
      if (!ready)
        return html`<main class="app-place">${emptyState('lock', t('app-logged-out'), t('app-logged-out-text'))}</main>`;
      return html`<main class="app-conversation">
        <oc-conversation .bridge=${this.bridge} .app=${this.app} .conversation=${window.conversation}></oc-conversation>
      </main>`;
    }
    if (!ready) return html`<oc-login .bridge=${this.bridge} .app=${this.app}></oc-login>`;
    return html`<oc-main .bridge=${this.bridge} .app=${this.app} .native=${native}></oc-main>`;
  }

  #problem(text = t('error-bridge_lost')) {
    return emptyState('plug-zap', t('app-lost'), text);
  }

  #veil() {
    return html`<div class="app-veil" role="alert">
      <span class="app-veil-text">${icon('plug-zap')} ${t('error-bridge_lost')}</span>
    </div>`;
  }
}

customElements.define('oc-app', App);
