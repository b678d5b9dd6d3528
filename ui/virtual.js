// A list of any length with few nodes: rows of one height, asked for in slices as they come into view.
//
// Subclasses say where rows come from (`fetchRows`), how one looks (`renderRow`) and what activating it does. The
// scroller keeps the focus; the active row is named by aria-activedescendant, so that it may leave the DOM.

import { OcElement } from './element.js';
import { html } from './vendor/lit.js';

const PAGE = 60;
const OVERSCAN = 6;
const TYPE_AHEAD_MS = 700;

let lists = 0;

export class VirtualList extends OcElement {
  static properties = {
    bridge: { attribute: false },
    total: { state: true },
    active: { state: true },
    error: { state: true },
  };

  constructor() {
    super();
    this.total = -1; // Not known yet.
    this.active = -1;
    this.error = null;
    this.listId = `list${++lists}`;
    this.pages = new Map();
    this.fresh = new Set();
    this.generation = 0;
    this.range = [0, 0];
    this.typed = '';
    this.typedAt = 0;
  }

  /** Rows `offset` to `offset + limit`: a promise of { rows, total }. */
  fetchRows(_offset, _limit) {
    throw new Error('A list says where its rows come from.');
  }

  /** A row's content; `row` is undefined while it is on its way. */
  renderRow(_row, _index) {
    throw new Error('A list says how its rows look.');
  }

  /** What identifies a row wherever it stands. */
  keyOf(row) {
    return row.id;
  }

  /** The words that type-ahead compares with. */
  wordsOf(row) {
    return row.name;
  }

  /** The row was clicked, or Enter pressed on it. */
  activate(_row, _index) {}

  /** A key that the list itself does not know; true where it was used. */
  keyOnRow(_event, _row, _index) {
    return false;
  }

  row(index) {
    return this.pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  get scroller() {
    return this.node('scroller');
  }

  /** Ask again for the rows in view; what is shown stays until the answer is there. */
  async refresh() {
    this.generation += 1;
    this.fresh.clear();
    await this.#load();
  }

  /** Forget all rows and begin at the top: the list is about something else now. */
  async restart() {
    this.pages.clear();
    this.active = -1;
    if (this.scroller) this.scroller.scrollTop = 0;
    this.#measure();
    await this.refresh();
  }

  connectedCallback() {
    super.connectedCallback();
    const observer = new ResizeObserver(() => this.#measure());
    this.updateComplete.then(() => {
      if (!this.scroller) return;
      observer.observe(this.scroller);
      this.#measure();
    });
    this.until(() => observer.disconnect());
    this.until(this.bridge.on('open', () => this.refresh()));
    this.refresh();
  }

  updated() {
    const space = this.node('space');
    if (!space) return;
    space.style.height = `${Math.max(this.total, 0) * this.rowHeight}px`;
    space.style.paddingBlockStart = `${this.range[0] * this.rowHeight}px`;
  }

  /** A row's height in pixels, from the token that the subclass names. */
  get rowHeight() {
    this.height ??= Number.parseFloat(getComputedStyle(this).getPropertyValue(this.constructor.rowToken)) || 48;
    return this.height;
  }

  /** The rows in view, inside the scroller; `label` is its name, `role` list's role. */
  renderList({ role, label }) {
    const [first, last] = this.range;
    const rows = [];
    for (let index = first; index < Math.min(last, this.total); index += 1) rows.push(index);
    return html`<div
      class="list-scroller"
      role=${role}
      aria-label=${label}
      aria-busy=${this.total < 0 ? 'true' : 'false'}
      aria-activedescendant=${this.active >= first && this.active < last ? `${this.listId}-${this.active}` : ''}
      tabindex="0"
      data-scroller
      @scroll=${this.#measure}
      @keydown=${this.#key}
      @click=${this.#click}
      @focus=${this.#focused}
    >
      <div class="list-space" role="presentation" data-space>
        ${rows.map((index) => this.renderRow(this.row(index), index))}
      </div>
    </div>`;
  }

  /** The attributes' values that every row needs: its id, and its class beside its own. */
  rowId(index) {
    return `${this.listId}-${index}`;
  }

  rowClass(index, more = '') {
    return `list-row ${index === this.active ? 'is-active' : ''} ${more}`;
  }

  /** Make a row the active one and bring it into view. */
  select(index) {
    if (this.total <= 0) return;
    this.active = Math.max(0, Math.min(index, this.total - 1));
    const row = this.row(this.active);
    this.activeKey = row ? this.keyOf(row) : null;
    const top = this.active * this.rowHeight;
    const scroller = this.scroller;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (top + this.rowHeight > scroller.scrollTop + scroller.clientHeight) {
      scroller.scrollTop = top + this.rowHeight - scroller.clientHeight;
    }
    this.#measure();
  }

  #measure = () => {
    const scroller = this.scroller;
    if (!scroller) return;
    const first = Math.max(0, Math.floor(scroller.scrollTop / this.rowHeight) - OVERSCAN);
    const last = Math.ceil((scroller.scrollTop + scroller.clientHeight) / this.rowHeight) + OVERSCAN;
    if (first === this.range[0] && last === this.range[1]) return;
    this.range = [first, last];
    this.requestUpdate();
    this.#load();
  };

  async #load() {
    const generation = this.generation;
    const end = this.total < 0 ? Math.max(this.range[1], 1) : Math.min(this.range[1], Math.max(this.total, 1));
    const wanted = [];
    for (let page = Math.floor(this.range[0] / PAGE); page * PAGE < end; page += 1) {
      if (!this.fresh.has(page)) wanted.push(page);
    }
    for (const page of wanted) this.fresh.add(page);
    await Promise.all(wanted.map((page) => this.#loadPage(page, generation)));
  }

  async #loadPage(page, generation) {
    try {
      const { rows, total } = await this.fetchRows(page * PAGE, PAGE);
      if (generation !== this.generation) return;
      this.pages.set(page, rows);
      this.total = total;
      this.error = null;
      this.#follow();
    } catch (error) {
      if (generation !== this.generation) return;
      this.fresh.delete(page);
      this.error = error;
    }
    this.requestUpdate();
  }

  /** After a refresh the active row may stand elsewhere: follow it where it is among the rows we have. */
  #follow() {
    if (this.active < 0 || this.activeKey == null) return;
    const row = this.row(this.active);
    if (row && this.keyOf(row) === this.activeKey) return;
    for (const [page, rows] of this.pages) {
      const at = rows.findIndex((one) => this.keyOf(one) === this.activeKey);
      if (at >= 0 && page * PAGE + at < this.total) {
        this.active = page * PAGE + at;
        return;
      }
    }
    this.active = Math.min(this.active, this.total - 1);
  }

  #click = (event) => {
    const node = event.target.closest('[data-index]');
    if (!node) return;
    const index = Number(node.dataset.index);
    const row = this.row(index);
    this.select(index);
    if (row) this.activate(row, index, event);
  };

  #focused = () => {
    if (this.active < 0 && this.total > 0) this.select(0);
  };

  #key = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / this.rowHeight) - 1);
    const moves = {
      ArrowDown: this.active + 1,
      ArrowUp: this.active - 1,
      PageDown: this.active + page,
      PageUp: this.active - page,
      Home: 0,
      End: this.total - 1,
    };
    const row = this.row(this.active);
    if (event.key in moves) this.select(moves[event.key]);
    else if (row && this.keyOnRow(event, row, this.active)) {
      // Used by the subclass.
    } else if (event.key === 'Enter' && row) this.activate(row, this.active, event);
    else if (event.key.length === 1 && event.key !== ' ') this.#typeAhead(event);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  async #typeAhead(event) {
    this.typed = event.timeStamp - this.typedAt > TYPE_AHEAD_MS ? event.key : this.typed + event.key;
    this.typedAt = event.timeStamp;
    const typed = this.typed.toLocaleLowerCase();
    const matches = (row) => row && this.wordsOf(row).toLocaleLowerCase().startsWith(typed);
    // One letter moves on from the active row; more letters may stay on it.
    const start = this.active + (typed.length > 1 ? 0 : 1);
    for (let step = 0; step < this.total; step += 1) {
      const index = (start + step) % this.total;
      if (!this.pages.has(Math.floor(index / PAGE))) {
        if (step > 10 * PAGE) return; // Far enough for a keystroke: the search finds the rest.
        await this.#loadPage(Math.floor(index / PAGE), this.generation);
        if (this.typed.toLocaleLowerCase() !== typed) return;
      }
      if (matches(this.row(index))) {
        this.select(index);
        return;
      }
    }
  }
}
