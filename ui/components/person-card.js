// A person's card: who they are and how to reach them; from the roster also the way to talk.

import { OcElement } from '../element.js';
import { plainLine } from '../format.js';
import { t } from '../i18n.js';
import { avatar, icon, nameOf, presenceMark, presenceText } from '../parts.js';
import { html, nothing } from '../vendor/lit.js';

class PersonCard extends OcElement {
  static properties = {
    bridge: { attribute: false },
    person: { attribute: false },
    me: { attribute: false },
    inside: { type: Boolean },
  };

  constructor() {
    super();
    this.inside = false; // Shown from the conversation with this very person.
  }

  connectedCallback() {
    super.connectedCallback();
    this.until(this.bridge.on('directory_changed', () => this.#refresh()));
  }

  firstUpdated() {
    this.node('dialog').showModal();
    this.#refresh();
  }

  async #refresh() {
    try {
      this.person = await this.bridge.call('get_person', { id: this.person.id });
    } catch {
      // What is shown stays: it came from the list a moment ago.
    }
  }

  #backdrop = (event) => {
    if (event.target === event.currentTarget) event.currentTarget.close();
  };

  render() {
    const { person } = this;
    const talk = !this.inside && !person.disabled && person.id !== this.me?.id;
    return html`<dialog
      class="dialog card"
      aria-label=${t('card-label', { name: plainLine(person.name) })}
      data-dialog
      @click=${this.#backdrop}
      @close=${(event) => {
        event.stopPropagation();
        this.tell('close');
      }}
    >
      <div class="card-inside">
        <form method="dialog" class="card-close">
          <button class="icon-button" aria-label=${t('action-close')} title=${t('action-close')}>${icon('x')}</button>
        </form>
        <header class="card-head">
          ${avatar(person, { size: 'huge', presence: '' })}
          <h2 class="card-name" tabindex="-1" ?autofocus=${!talk}>${nameOf(person)}</h2>
          <p class="card-presence">${presenceMark(person.presence)}<bdi>${presenceText(person)}</bdi></p>
        </header>
        <dl class="card-facts">
          ${this.#fact('card-position', person.title)} ${this.#fact('card-department', person.department)}
          ${this.#fact('card-email', person.email, 'mailto:')} ${this.#fact('card-phone', person.phone)}
          ${this.#fact('card-login', person.login)}
        </dl>
        ${
          talk
            ? html`<button class="button button-primary" type="button" data-talk autofocus @click=${() => this.tell('open-person', { person })}>
              ${icon('message-circle')} ${t('card-talk')}
            </button>`
            : nothing
        }
      </div>
    </dialog>`;
  }

  #fact(id, value, scheme = '') {
    if (!value) return nothing;
    const url = scheme + value;
    return html`<dt class="card-term">${t(id)}</dt>
      <dd class="card-value">
        ${
          scheme
            ? html`<button class="link-button" type="button" @click=${() => this.#openLink(url)}><bdi>${plainLine(value)}</bdi></button>`
            : html`<bdi>${plainLine(value)}</bdi>`
        }
      </dd>`;
  }

  #openLink(url) {
    this.bridge.call('open_link', { url }).catch((error) => {
      if (error.code !== 'bridge_lost') throw error;
    });
  }
}

customElements.define('oc-person-card', PersonCard);
