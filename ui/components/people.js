// People: the department tree, and what a search finds. Both draw the same rows.

import { count, plainLine } from '../format.js';
import { errorText, t } from '../i18n.js';
import { avatar, emptyState, icon, nameOf, presenceText, roleOf } from '../parts.js';
import { html, nothing } from '../vendor/lit.js';
import { VirtualList } from '../virtual.js';

class PeopleList extends VirtualList {
  static properties = { me: { attribute: false } };
  static rowToken = '--row-person';

  connectedCallback() {
    super.connectedCallback();
    this.until(this.bridge.on('directory_changed', () => this.refresh()));
  }

  keyOf(row) {
    return `${row.kind}:${row.id}`;
  }

  keyOnRow(event, row) {
    if (event.key !== ' ' || !row.person) return false;
    this.tell('show-card', { person: row.person });
    return true;
  }

  /** A person's row; `details` is the second line. */
  personRow(row, index, { role, details }) {
    const { person } = row;
    const self = person.id === this.me?.id;
    return html`<div
      class=${this.rowClass(index, `person depth-${Math.min(row.depth, 12)} is-${person.presence} ${person.disabled ? 'is-disabled' : ''}`)}
      id=${this.rowId(index)}
      role=${role}
      aria-level=${role === 'treeitem' ? row.depth + 1 : nothing}
      aria-selected=${index === this.active ? 'true' : 'false'}
      data-index=${index}
      data-person=${person.id}
    >
      ${avatar(person)}
      <span class="person-words">
        <span class="person-line">
          ${nameOf(person)}<span class="visually-hidden">, ${presenceText(person)}</span> ${self ? html`<span class="tag">${t('people-self')}</span>` : nothing}
          ${person.disabled ? html`<span class="tag">${t('person-disabled')}</span>` : nothing}
        </span>
        ${details ? html`<span class="person-details"><bdi>${details}</bdi></span>` : nothing}
      </span>
      <span
        class="icon-button person-card-button"
        aria-hidden="true"
        title=${t('card-title')}
        @click=${(event) => {
          event.stopPropagation();
          this.tell('show-card', { person });
        }}
      >
        ${icon('id-card')}
      </span>
    </div>`;
  }

  loadingRow(index) {
    return html`<div class="list-row person is-loading" data-index=${index} aria-hidden="true"></div>`;
  }
}

class PeopleTree extends PeopleList {
  constructor() {
    super();
    this.expanded = null; // Until the first rows tell the top department.
  }

  async fetchRows(offset, limit) {
    const tree = await this.bridge.call('get_tree', { expanded: [...(this.expanded ?? [])], offset, limit });
    if (this.expanded) return tree;
    // A single top department is the company itself: it starts expanded.
    this.expanded = new Set();
    const tops = tree.rows.filter((row) => row.depth === 0 && row.kind === 'department');
    if (tops.length !== 1 || tree.total !== 1) return tree;
    this.expanded.add(tops[0].id);
    return this.bridge.call('get_tree', { expanded: [...this.expanded], offset, limit });
  }

  activate(row, index) {
    if (row.kind === 'department') this.#toggle(row, index);
    else this.tell('open-person', { person: row.person });
  }

  keyOnRow(event, row, index) {
    const department = row.kind === 'department';
    if (event.key === 'ArrowRight') {
      if (department && !row.expanded) this.#toggle(row, index);
      else if (department) this.select(index + 1);
      return true;
    }
    if (event.key === 'ArrowLeft') {
      if (department && row.expanded) this.#toggle(row, index);
      else this.#toParent(row, index);
      return true;
    }
    return super.keyOnRow(event, row, index);
  }

  #toParent(row, index) {
    for (let at = index - 1; at >= 0; at -= 1) {
      const above = this.row(at);
      if (!above) return;
      if (above.depth < row.depth) {
        this.select(at);
        return;
      }
    }
  }

  #toggle(row) {
    if (row.expanded) this.expanded.delete(row.id);
    else this.expanded.add(row.id);
    this.refresh();
  }

  render() {
    if (this.total === 0) return emptyState('building-2', t('tree-empty'), t('tree-empty-text'));
    if (this.total < 0 && this.error) return emptyState('circle-alert', t('list-failed'), errorText(this.error));
    return this.renderList({ role: 'tree', label: t('tab-organisation') });
  }

  renderRow(row, index) {
    if (!row) return this.loadingRow(index);
    if (row.kind === 'person') {
      return this.personRow(row, index, {
        role: 'treeitem',
        details: plainLine(row.person.status_text || row.person.title),
      });
    }
    const counts = t('tree-counts', { online: count(row.online), people: count(row.people) });
    return html`<div
      class=${this.rowClass(index, `department depth-${Math.min(row.depth, 12)}`)}
      id=${this.rowId(index)}
      role="treeitem"
      aria-level=${row.depth + 1}
      aria-expanded=${row.expanded ? 'true' : 'false'}
      aria-selected=${index === this.active ? 'true' : 'false'}
      data-index=${index}
      data-department=${row.id}
    >
      ${icon('chevron-right', 'department-chevron')}
      <bdi class="department-name">${plainLine(row.name)}</bdi>
      <span class="visually-hidden">, ${counts}</span>
      <span class="department-counts" aria-hidden="true">${count(row.online)}<span class="department-people">/${count(row.people)}</span></span>
    </div>`;
  }
}

class PeopleSearch extends PeopleList {
  static properties = { query: { attribute: false } };

  willUpdate(changed) {
    if (changed.has('query') && this.hasUpdated) this.restart();
  }

  fetchRows(offset, limit) {
    return this.bridge.call('search', { query: this.query, offset, limit });
  }

  activate(row) {
    if (row.person) this.tell('open-person', { person: row.person });
    else this.tell('search-for', { text: row.name });
  }

  openFirst() {
    const row = this.row(0);
    if (row) this.activate(row);
  }

  render() {
    if (this.total === 0) return emptyState('search-x', t('search-nothing'), t('search-nothing-text'));
    if (this.error && this.total < 0) return emptyState('circle-alert', t('list-failed'), errorText(this.error));
    return html`<p class="visually-hidden" role="status">${this.total > 0 ? t('search-found', { count: this.total }) : ''}</p>
      ${this.renderList({ role: 'listbox', label: t('search-results') })}`;
  }

  renderRow(row, index) {
    if (!row) return this.loadingRow(index);
    if (row.kind === 'person') {
      return this.personRow({ ...row, depth: 0 }, index, { role: 'option', details: roleOf(row.person) });
    }
    return html`<div
      class=${this.rowClass(index, 'person found-department')}
      id=${this.rowId(index)}
      role="option"
      aria-selected=${index === this.active ? 'true' : 'false'}
      data-index=${index}
      data-department=${row.id}
    >
      <span class="avatar avatar-medium avatar-department" aria-hidden="true">${icon('users-round')}</span>
      <span class="person-words">
        <bdi class="person-name">${plainLine(row.name)}</bdi>
        <span class="person-details">${t('tree-counts', { online: count(row.online), people: count(row.people) })}</span>
      </span>
    </div>`;
  }
}

customElements.define('oc-people-tree', PeopleTree);
customElements.define('oc-people-search', PeopleSearch);
