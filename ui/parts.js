// Small pieces of markup that many components use: icons, avatars, presence marks.

import { hue, initials, plainLine } from './format.js';
import { t } from './i18n.js';
import { html, nothing, svg } from './vendor/lit.js';

const SPRITE = new URL('vendor/icons.svg', import.meta.url).pathname;

/** An icon of the sprite; decoration only, the control around it has the name. */
export function icon(name, className = '') {
  return html`<svg class="icon ${className}" aria-hidden="true"><use href="${SPRITE}#${name}"></use></svg>`;
}

// A shape of its own for each state, so that colour is never the only sign.
const SHAPES = {
  online: svg`<circle cx="6" cy="6" r="5"></circle>`,
  away: svg`<path d="M6 1a5 5 0 1 0 5 5 4.2 4.2 0 0 1-5-5z"></path>`,
  busy: svg`<path fill-rule="evenodd" d="M6 1a5 5 0 1 1 0 10A5 5 0 0 1 6 1zM3.2 5.2v1.6h5.6V5.2z"></path>`,
  offline: svg`<path fill-rule="evenodd" d="M6 1a5 5 0 1 1 0 10A5 5 0 0 1 6 1zm0 1.8a3.2 3.2 0 1 0 0 6.4 3.2 3.2 0 0 0 0-6.4z"></path>`,
};
SHAPES.invisible = SHAPES.offline;

/** The mark of a presence state; decoration only, texts say it too. */
export function presenceMark(state) {
  return html`<svg class="presence presence-${state}" viewBox="0 0 12 12" aria-hidden="true">${SHAPES[state]}</svg>`;
}

/** A person's avatar with the presence mark; `size` is small, medium or large. */
export function avatar(person, { size = 'medium', presence = person.presence } = {}) {
  return html`<span class="avatar avatar-${size} hue-${hue(person.id)} ${person.disabled ? 'is-disabled' : ''}" aria-hidden="true"
    ><span class="avatar-letters">${initials(person.name)}</span
    >${presence ? html`<span class="avatar-presence">${presenceMark(presence)}</span>` : nothing}</span
  >`;
}

/** A person's name, isolated so that its direction stays its own. */
export function nameOf(person, className = '') {
  return html`<bdi class="person-name ${className}">${plainLine(person.name)}</bdi>`;
}

/** Title and department in one line. */
export function roleOf(person) {
  return plainLine([person.title, person.department].filter(Boolean).join(' · '));
}

/** What a person's state is called, with the status text. */
export function presenceText(person) {
  const state = person.disabled ? t('person-disabled') : t(`presence-${person.presence}`);
  return person.status_text ? `${state} · ${plainLine(person.status_text)}` : state;
}

/** The large picture and words of an empty or broken place. */
export function emptyState(iconName, title, text, action = nothing) {
  return html`<div class="empty-state">
    <span class="empty-icon">${icon(iconName)}</span>
    <p class="empty-title">${title}</p>
    ${text ? html`<p class="empty-text">${text}</p>` : nothing} ${action}
  </div>`;
}
