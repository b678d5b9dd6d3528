// Oneself, at the top of the main window: name, state, status text; the way to settings and out.

import { OcElement } from '../element.js';
import { plainLine } from '../format.js';
import { t } from '../i18n.js';
import { avatar, icon, nameOf, presenceMark } from '../parts.js';
import { html, nothing } from '../vendor/lit.js';

const STATES = ['online', 'away', 'busy', 'invisible'];

class Me extends OcElement {
  static properties = {
    bridge: { attribute: false },
    app: { attribute: false },
    open: { state: true },
    asking: { state: true },
  };

  constructor() {
    super();
    this.open = false;
    this.asking = false;
  }

  connectedCallback() {
    super.connectedCallback();
    this.listen(document, 'pointerdown', (event) => {
      if (this.open && !this.contains(event.target)) this.#close(false);
    });
  }

  #toggle = () => {
    if (this.open) {
      this.#close();
      return;
    }
    this.open = true;
    this.updateComplete.then(() => this.querySelector('[aria-checked="true"]')?.focus());
  };

  #close(focus = true) {
    if (!this.open) return;
    this.#choose(this.app.chosen_state);
    this.open = false;
    if (focus) this.node('menu-button').focus();
  }

  #choose(state) {
    const text = (this.node('status-text')?.value ?? this.app.status_text).trim();
    if (state === this.app.chosen_state && text === this.app.status_text) return;
    this.bridge.call('choose_presence', { state, text }).catch(() => this.requestUpdate());
  }

  #key = (event) => {
    if (event.isComposing) return;
    if (event.key === 'Escape') {
      event.preventDefault();
      event.stopPropagation();
      this.#close();
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const items = [...this.querySelectorAll('[data-item]')];
    const at = items.indexOf(document.activeElement);
    items[(at + step + items.length) % items.length].focus();
  };

  render() {
    const { me, chosen_state: state, status_text: text } = this.app;
    if (!me) return nothing;
    const mine = t(`presence-${state}`);
    return html`<header class="me">
      <button
        class="me-button"
        type="button"
        aria-haspopup="true"
        aria-expanded=${this.open ? 'true' : 'false'}
        data-menu-button
        @click=${this.#toggle}
      >
        ${avatar(me, { size: 'medium', presence: state })}
        <span class="me-words">
          ${nameOf(me, 'me-name')}
          <span class="me-state"><bdi>${plainLine(text) || mine}</bdi></span>
          <span class="visually-hidden">${text ? mine : ''} ${t('me-button')}</span>
        </span>
        ${icon('chevron-down', 'me-chevron')}
      </button>
      <button class="icon-button" type="button" aria-label=${t('settings-title')} title=${t('settings-title')} data-settings @click=${() => this.tell('open-settings')}>
        ${icon('settings')}
      </button>
      ${this.open ? this.#menu(state, text) : nothing}
    </header>`;
  }

  #menu(state, text) {
    return html`<div class="menu me-menu" role="group" aria-label=${t('me-menu')} @keydown=${this.#key}>
      <div role="radiogroup" aria-label=${t('me-state')}>
        ${STATES.map(
          (one) => html`<button
            class="menu-item"
            type="button"
            role="radio"
            aria-checked=${one === state ? 'true' : 'false'}
            data-item
            data-state=${one}
            @click=${() => {
              this.#choose(one);
              this.open = false;
              this.node('menu-button').focus();
            }}
          >
            ${presenceMark(one)}
            <span class="menu-words">
              <span>${t(`presence-${one}`)}</span>
              ${one === 'invisible' ? html`<span class="menu-hint">${t('presence-invisible-hint')}</span>` : nothing}
            </span>
            ${one === state ? icon('check', 'menu-check') : nothing}
          </button>`,
        )}
      </div>
      <div class="menu-line" role="presentation"></div>
      <form
        class="menu-field"
        @submit=${(event) => {
          event.preventDefault();
          this.#close();
        }}
      >
        <input
          class="field-input"
          type="text"
          data-status-text
          data-item
          .value=${text}
          maxlength="140"
          dir="auto"
          placeholder=${t('me-status-placeholder')}
          aria-label=${t('me-status-placeholder')}
        />
      </form>
      <div class="menu-line" role="presentation"></div>
      <button class="menu-item" type="button" data-item data-log-out @click=${this.#logOut}>
        ${icon('log-out')}<span class="menu-words">${this.asking ? t('me-log-out-sure') : t('me-log-out')}</span>
      </button>
    </div>`;
  }

  // Logging out closes every window, so it asks once more, in place.
  #logOut = () => {
    if (!this.asking) {
      this.asking = true;
      return;
    }
    this.asking = false;
    this.open = false;
    this.bridge.call('log_out').catch(() => this.requestUpdate());
  };
}

customElements.define('oc-me', Me);
