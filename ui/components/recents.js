// The recent conversations, newest first, with what was said last and what waits.

import { badge, fullTime, listTime, plainLine } from '../format.js';
import { t } from '../i18n.js';
import { avatar, emptyState, icon, nameOf, presenceText } from '../parts.js';
import { html, nothing } from '../vendor/lit.js';
import { VirtualList } from '../virtual.js';

class Recents extends VirtualList {
  static properties = { docked: { attribute: false } };
  static rowToken = '--row-recent';

  constructor() {
    super();
    this.docked = '';
  }

  connectedCallback() {
    super.connectedCallback();
    this.until(this.bridge.on('recents_changed', () => this.refresh()));
    // "Yesterday" becomes true at midnight.
    const timer = setInterval(() => this.requestUpdate(), 60_000);
    this.until(() => clearInterval(timer));
  }

  fetchRows(offset, limit) {
    return this.bridge.call('get_recents', { offset, limit });
  }

  keyOf(row) {
    return row.conversation;
  }

  wordsOf(row) {
    return row.peer.name;
  }

  activate(row) {
    this.tell('open-person', { person: row.peer });
  }

  keyOnRow(event, row) {
    if (event.key !== ' ') return false;
    this.tell('show-card', { person: row.peer });
    return true;
  }

  openFirst() {
    const row = this.row(0);
    if (row) this.activate(row);
  }

  render() {
    if (this.total === 0) {
      return emptyState(
        'message-square-plus',
        t('recents-empty'),
        t('recents-empty-text'),
        html`<button class="button" type="button" @click=${() => this.tell('show-organisation')}>
          ${t('recents-empty-action')}
        </button>`,
      );
    }
    return this.renderList({ role: 'listbox', label: t('tab-recents') });
  }

  renderRow(row, index) {
    if (!row) return html`<div class="list-row recent is-loading" data-index=${index} aria-hidden="true"></div>`;
    const { peer } = row;
    const open = row.conversation === this.docked;
    const more = [
      presenceText(peer),
      row.unread ? t('recents-unread', { count: row.unread }) : '',
      row.failed ? t('recents-failed') : '',
    ];
    return html`<div
      class=${this.rowClass(index, `recent ${row.unread ? 'has-unread' : ''} ${open ? 'is-open' : ''}`)}
      id=${this.rowId(index)}
      role="option"
      aria-selected=${index === this.active ? 'true' : 'false'}
      data-index=${index}
      data-conversation=${row.conversation}
    >
      ${avatar(peer, { size: 'large' })}
      <span class="recent-words">
        <span class="recent-line">
          ${nameOf(peer, 'recent-name')}
          <span class="visually-hidden">, ${more.filter(Boolean).join(', ')}</span>
          <time class="recent-time" title=${row.at ? fullTime(row.at) : ''}>${row.at ? listTime(row.at) : ''}</time>
        </span>
        <span class="recent-line">
          ${this.#second(row)} ${row.failed ? html`<span class="recent-failed">${icon('circle-alert')}</span>` : nothing}
          ${row.unread ? html`<span class="badge" aria-hidden="true" data-unread=${row.unread}>${badge(row.unread)}</span>` : nothing}
        </span>
      </span>
    </div>`;
  }

  #second(row) {
    if (row.typing) return html`<span class="recent-preview is-typing">${t('conversation-typing')}</span>`;
    if (row.wants_to_talk && !row.draft) {
      return html`<span class="recent-preview is-waiting">${t('recents-wants-to-talk')}</span>`;
    }
    const before = row.draft
      ? html`<span class="recent-draft">${t('recents-draft')}</span>`
      : row.mine && row.preview
        ? html`<span class="recent-mine">${t('recents-mine')}</span>`
        : nothing;
    return html`<span class="recent-preview">${before}<bdi>${plainLine(row.preview)}</bdi></span>`;
  }
}

customElements.define('oc-recents', Recents);
