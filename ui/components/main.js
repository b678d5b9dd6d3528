// The main window: oneself, the search, recent conversations and the organisation; beside them a docked conversation.

import { OcElement } from '../element.js';
import { errorText, has, t } from '../i18n.js';
import { emptyState, icon } from '../parts.js';
import { html, nothing } from '../vendor/lit.js';
import './conversation.js';
import './link-state.js';
import './me.js';
import './people.js';
import './person-card.js';
import './recents.js';
import './settings.js';

const TABS = ['recents', 'organisation'];

class Main extends OcElement {
  static properties = {
    bridge: { attribute: false },
    app: { attribute: false },
    native: { type: Boolean },
    tab: { state: true },
    query: { state: true },
    docked: { state: true },
    card: { state: true },
    settings: { state: true },
    problem: { state: true },
    seenNotice: { state: true },
  };

  constructor() {
    super();
    this.tab = 'recents';
    this.query = '';
    this.docked = '';
    this.card = null;
    this.settings = false;
    this.problem = null;
    this.seenNotice = '';
    this.native = false;
  }

  connectedCallback() {
    super.connectedCallback();
    this.until(
      this.bridge.on('focus_composer', ({ conversation }) => {
        if (this.#docks) this.docked = conversation;
      }),
    );
    this.listen(document, 'keydown', this.#shortcut);
  }

  willUpdate() {
    if (!this.#docks) this.docked = '';
  }

  /** Whether conversations stand in this window: by the setting, or since a browser has no windows of ours. */
  get #docks() {
    return !this.native || this.app.conversations_in === 'docked';
  }

  #shortcut = (event) => {
    if ((event.ctrlKey || event.metaKey) && ['k', 'f'].includes(event.key) && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      this.node('search').focus();
      this.node('search').select();
    }
  };

  #open = async (event) => {
    event.stopPropagation();
    const { person } = event.detail;
    if (person.id === this.app.me?.id) {
      this.card = person;
      return;
    }
    try {
      const opened = await this.bridge.call('open_conversation', { peer: person.id });
      this.problem = null;
      this.card = null;
      if (opened.place === 'docked' || !this.native) this.docked = opened.conversation;
    } catch (error) {
      this.problem = error;
    }
  };

  #showCard = (event) => {
    event.stopPropagation();
    this.card = event.detail.person;
  };

  // Half-typed pinyin is not a search: what an input method composes is looked at once it is confirmed.
  #typed = (event) => {
    if (event.isComposing) return;
    this.query = event.target.value.trim();
  };

  #searchKey = (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === 'Escape' && event.target.value !== '') {
      event.preventDefault();
      event.stopPropagation();
      this.#endSearch();
    } else if (event.key === 'ArrowDown' || event.key === 'Enter') {
      const list = this.node('list');
      if (!list || list.total <= 0) return;
      event.preventDefault();
      if (event.key === 'Enter' && this.query) list.openFirst();
      else list.scroller.focus();
    }
  };

  // A department that was found shows its people: its name finds them.
  #searchFor = (event) => {
    const search = this.node('search');
    search.value = event.detail.text.split('/').at(-1).trim();
    this.query = search.value;
    search.focus();
  };

  #listKey = (event) => {
    if (event.key === 'Escape' && this.query) this.#endSearch();
  };

  #endSearch = () => {
    this.query = '';
    const search = this.node('search');
    search.value = '';
    search.focus();
  };

  #tabKey = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    this.tab = TABS[(TABS.indexOf(this.tab) + step + TABS.length) % TABS.length];
    this.updateComplete.then(() => this.querySelector(`[data-tab="${this.tab}"]`).focus());
  };

  render() {
    const docks = this.#docks;
    return html`<div
      class="main ${docks ? 'is-docking' : ''} ${this.docked ? 'has-docked' : ''}"
      @open-person=${this.#open}
      @show-card=${this.#showCard}
      @search-for=${this.#searchFor}
      @close-docked=${() => {
        this.docked = '';
      }}
    >
      <section class="main-roster" aria-label=${t('main-roster')}>
        <oc-me
          .bridge=${this.bridge}
          .app=${this.app}
          @open-settings=${() => {
            this.settings = true;
          }}
        ></oc-me>
        ${this.#search()} ${this.query ? nothing : this.#tabs()}
        <div class="main-list" @keydown=${this.#listKey}>${this.#list()}</div>
        <div class="main-foot">
          ${this.#note()}
          <oc-link-state .bridge=${this.bridge} .link=${this.app.link}></oc-link-state>
        </div>
      </section>
      ${docks ? html`<section class="main-docked">${this.#dock()}</section>` : nothing}
      ${
        this.card
          ? html`<oc-person-card
            .bridge=${this.bridge}
            .person=${this.card}
            .me=${this.app.me}
            @close=${() => {
              this.card = null;
            }}
          ></oc-person-card>`
          : nothing
      }
      ${
        this.settings
          ? html`<oc-settings
            .bridge=${this.bridge}
            .app=${this.app}
            @close=${() => {
              this.settings = false;
            }}
          ></oc-settings>`
          : nothing
      }
    </div>`;
  }

  #search() {
    return html`<div class="search" role="search">
      <span class="search-icon">${icon('search')}</span>
      <input
        class="search-input"
        type="text"
        data-search
        placeholder=${t('search-placeholder')}
        aria-label=${t('search-placeholder')}
        autocomplete="off"
        spellcheck="false"
        maxlength="200"
        dir="auto"
        @input=${this.#typed}
        @compositionend=${this.#typed}
        @keydown=${this.#searchKey}
      />
      ${
        this.query
          ? html`<button class="icon-button search-clear" type="button" aria-label=${t('search-clear')} title=${t('search-clear')} @click=${this.#endSearch}>
            ${icon('x')}
          </button>`
          : nothing
      }
    </div>`;
  }

  #tabs() {
    return html`<div class="tabs" role="tablist" aria-label=${t('main-roster')} @keydown=${this.#tabKey}>
      ${TABS.map(
        (tab) => html`<button
          class="tab ${tab === this.tab ? 'is-selected' : ''}"
          type="button"
          role="tab"
          data-tab=${tab}
          id=${`tab-${tab}`}
          aria-selected=${tab === this.tab ? 'true' : 'false'}
          aria-controls="main-list"
          tabindex=${tab === this.tab ? '0' : '-1'}
          @click=${() => {
            this.tab = tab;
          }}
        >
          ${t(`tab-${tab}`)}
        </button>`,
      )}
    </div>`;
  }

  #list() {
    const { bridge, app } = this;
    if (this.query) {
      return html`<oc-people-search data-list .bridge=${bridge} .me=${app.me} .query=${this.query}></oc-people-search>`;
    }
    if (this.tab === 'recents') {
      return html`<oc-recents
        data-list
        id="main-list"
        role="tabpanel"
        aria-labelledby="tab-recents"
        .bridge=${bridge}
        .docked=${this.docked}
        @show-organisation=${() => {
          this.tab = 'organisation';
        }}
      ></oc-recents>`;
    }
    return html`<oc-people-tree
      data-list
      id="main-list"
      role="tabpanel"
      aria-labelledby="tab-organisation"
      .bridge=${bridge}
      .me=${app.me}
    ></oc-people-tree>`;
  }

  #dock() {
    if (!this.docked) return emptyState('message-circle', t('dock-empty'), t('dock-empty-text'));
    return html`<oc-conversation .bridge=${this.bridge} .app=${this.app} .conversation=${this.docked} docked></oc-conversation>`;
  }

  /** What went wrong with the last click, else what Python wants known; until it is dismissed. */
  #note() {
    const { notice } = this.app;
    if (this.problem) return this.#noteCard('error', 'circle-alert', errorText(this.problem), () => this.#seen());
    if (!notice || notice === this.seenNotice || !has(`notice-${notice}`)) return nothing;
    return this.#noteCard('info', 'info', t(`notice-${notice}`), () => this.#seen(notice));
  }

  #seen(notice = this.seenNotice) {
    this.problem = null;
    this.seenNotice = notice;
  }

  #noteCard(kind, sign, text, dismiss) {
    return html`<div class="banner banner-${kind} main-note" role=${kind === 'error' ? 'alert' : 'status'} data-note=${kind}>
      ${icon(sign)}<span>${text}</span>
      <button class="icon-button" type="button" aria-label=${t('action-dismiss')} title=${t('action-dismiss')} @click=${dismiss}>
        ${icon('x')}
      </button>
    </div>`;
  }
}

customElements.define('oc-main', Main);
