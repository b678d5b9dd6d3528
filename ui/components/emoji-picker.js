// Emoji by group, and by words in both languages. One group is drawn at a time: all of them would be 1,800 nodes.

import { OcElement } from '../element.js';
import { language, t } from '../i18n.js';
import { html, nothing } from '../vendor/lit.js';

// The groups' numbers are the data's own (CLDR); 2 holds the parts of others.
const GROUPS = [
  [0, '😀', 'smileys'],
  [1, '👋', 'people'],
  [3, '🐼', 'nature'],
  [4, '🍜', 'food'],
  [5, '🚄', 'travel'],
  [6, '⚽', 'activities'],
  [7, '💡', 'objects'],
  [8, '✅', 'symbols'],
  [9, '🏁', 'flags'],
];
const MOST_FOUND = 120;

let loading = null;

function load() {
  loading ??= fetch(new URL('../vendor/emoji.json', import.meta.url)).then((answer) => answer.json());
  return loading;
}

/** The emoji whose names or words hold every word of the query. */
export function search(rows, query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const text = (row) => `${row.en} ${row.zh} ${row.words}`.toLowerCase();
  return rows.filter((row) => words.every((word) => text(row).includes(word))).slice(0, MOST_FOUND);
}

class EmojiPicker extends OcElement {
  static properties = {
    rows: { state: true },
    group: { state: true },
    query: { state: true },
    failed: { state: true },
  };

  constructor() {
    super();
    this.rows = null;
    this.group = 0;
    this.query = '';
    this.failed = false;
  }

  connectedCallback() {
    super.connectedCallback();
    this.listen(document, 'pointerdown', (event) => {
      if (!this.contains(event.target) && !event.target.closest('[data-emoji-button]')) this.tell('close');
    });
    load().then(
      (rows) => {
        this.rows = rows;
      },
      () => {
        loading = null;
        this.failed = true;
      },
    );
  }

  firstUpdated() {
    this.node('emoji-search').focus();
  }

  #pick(row) {
    this.tell('pick-emoji', { emoji: row.emoji });
    this.tell('close');
  }

  #typed = (event) => {
    if (!event.isComposing) this.query = event.target.value.trim();
  };

  #key = (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    const cells = [...this.querySelectorAll('[data-emoji]')];
    const at = cells.indexOf(document.activeElement);
    const inSearch = event.target.matches('[data-emoji-search]');
    if (event.key === 'Escape') this.tell('close');
    else if (event.key === 'Enter' && inSearch && this.query) cells[0]?.click();
    else if (event.key === 'ArrowDown' && inSearch) cells[0]?.focus();
    else if (at >= 0 && event.key.startsWith('Arrow')) {
      const columns = cells.filter((cell) => cell.offsetTop === cells[0].offsetTop).length;
      const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
      if (at + step < 0) this.node('emoji-search').focus();
      else cells[Math.min(at + step, cells.length - 1)].focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  render() {
    return html`<div class="emoji" role="dialog" aria-label=${t('emoji-title')} @keydown=${this.#key}>
      <input
        class="field-input emoji-search"
        type="text"
        data-emoji-search
        placeholder=${t('emoji-search')}
        aria-label=${t('emoji-search')}
        autocomplete="off"
        spellcheck="false"
        @input=${this.#typed}
        @compositionend=${this.#typed}
      />
      ${this.query ? nothing : this.#groups()}
      <div class="emoji-grid" data-emoji-grid>${this.#cells()}</div>
    </div>`;
  }

  #groups() {
    return html`<div class="emoji-groups" role="group" aria-label=${t('emoji-groups')}>
      ${GROUPS.map(
        ([number, sign, name]) => html`<button
          class="emoji-group ${number === this.group ? 'is-selected' : ''}"
          type="button"
          aria-pressed=${number === this.group ? 'true' : 'false'}
          aria-label=${t(`emoji-group-${name}`)}
          title=${t(`emoji-group-${name}`)}
          @click=${() => {
            this.group = number;
            this.node('emoji-grid').scrollTop = 0;
          }}
        >
          ${sign}
        </button>`,
      )}
    </div>`;
  }

  #cells() {
    if (this.failed) return html`<p class="emoji-note" role="alert">${t('emoji-failed')}</p>`;
    if (!this.rows)
      return html`<p class="emoji-note" aria-busy="true"><span class="spinner" aria-hidden="true"></span></p>`;
    const rows = this.query ? search(this.rows, this.query) : this.rows.filter((row) => row.group === this.group);
    if (rows.length === 0) return html`<p class="emoji-note" role="status">${t('emoji-nothing')}</p>`;
    const name = language() === 'zh-CN' ? 'zh' : 'en';
    return rows.map(
      (row) => html`<button
        class="emoji-cell"
        type="button"
        data-emoji=${row.emoji}
        title=${row[name]}
        aria-label=${row[name]}
        @click=${() => this.#pick(row)}
      >
        ${row.emoji}
      </button>`,
    );
  }
}

customElements.define('oc-emoji-picker', EmojiPicker);
