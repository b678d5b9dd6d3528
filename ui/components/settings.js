// The settings, drawn from their own definitions in Python: each change holds at once, everywhere.

import { OcElement } from '../element.js';
import { errorText, has, t } from '../i18n.js';
import { icon } from '../parts.js';
import { html, live, nothing } from '../vendor/lit.js';

/** A text, or a name made readable where a newer program knows more settings than our texts. */
function label(id, name) {
  return has(id) ? t(id) : name.replaceAll('_', ' ');
}

class Settings extends OcElement {
  static properties = {
    bridge: { attribute: false },
    app: { attribute: false },
    settings: { state: true },
    errors: { state: true },
  };

  constructor() {
    super();
    this.settings = null;
    this.errors = {};
  }

  connectedCallback() {
    super.connectedCallback();
    this.until(this.bridge.on('settings_changed', () => this.#load()));
    this.until(this.bridge.on('open', () => this.#load()));
    this.#load();
  }

  firstUpdated() {
    this.node('dialog').showModal();
  }

  async #load() {
    try {
      const { settings } = await this.bridge.call('get_settings');
      this.settings = settings;
    } catch (error) {
      this.errors = { '': error };
    }
  }

  async #change(name, value) {
    try {
      await this.bridge.call('change_setting', { name, value });
      this.errors = { ...this.errors, [name]: undefined };
    } catch (error) {
      this.errors = { ...this.errors, [name]: error };
    }
    await this.#load();
  }

  #backdrop = (event) => {
    if (event.target === event.currentTarget) event.currentTarget.close();
  };

  render() {
    const sections = group(this.settings ?? []);
    return html`<dialog
      class="dialog settings"
      aria-labelledby="settings-title"
      data-dialog
      @click=${this.#backdrop}
      @close=${(event) => {
        event.stopPropagation();
        this.tell('close');
      }}
    >
      <div class="settings-inside">
        <header class="settings-head">
          <h2 class="settings-title" id="settings-title">${t('settings-title')}</h2>
          <form method="dialog">
            <button class="icon-button" aria-label=${t('action-close')} title=${t('action-close')}>${icon('x')}</button>
          </form>
        </header>
        <div class="settings-body" tabindex="-1" autofocus>
          ${this.#error('')}
          ${[...sections].map(
            ([section, settings]) => html`<section class="settings-section">
              <h3 class="settings-section-name">${label(`settings-section-${section}`, section)}</h3>
              ${settings.map((setting) => this.#row(setting))}
            </section>`,
          )}
        </div>
        <footer class="settings-foot">${t('app-version', { version: this.app.version })}</footer>
      </div>
    </dialog>`;
  }

  #row(setting) {
    const { name, locked } = setting;
    const hint = `setting-${name}-hint`;
    return html`<div class="setting" data-setting=${name}>
      <div class="setting-words">
        <label class="setting-label" for=${`setting-${name}`}>${label(`setting-${name}`, name)}</label>
        ${has(hint) ? html`<p class="setting-hint">${t(hint)}</p>` : nothing}
        ${locked ? html`<p class="setting-hint">${icon('lock')} ${t('settings-locked')}</p>` : nothing} ${this.#error(name)}
      </div>
      ${this.#control(setting)}
    </div>`;
  }

  #control({ name, kind, value, choices, minimum, maximum, locked }) {
    const id = `setting-${name}`;
    if (kind === 'switch') {
      return html`<input
        class="switch"
        type="checkbox"
        role="switch"
        id=${id}
        .checked=${live(value)}
        ?disabled=${locked}
        @change=${(event) => this.#change(name, event.target.checked)}
      />`;
    }
    if (kind === 'choice') {
      return html`<select
        class="select"
        id=${id}
        ?disabled=${locked}
        @change=${(event) => this.#change(name, event.target.value)}
      >
        ${choices.map((choice) => html`<option value=${choice} ?selected=${choice === value}>${label(`${id}-${choice}`, choice)}</option>`)}
      </select>`;
    }
    const number = kind === 'number';
    return html`<input
      class="field-input setting-input"
      type=${number ? 'number' : 'text'}
      id=${id}
      .value=${live(String(value))}
      min=${minimum ?? nothing}
      max=${maximum ?? nothing}
      dir="auto"
      ?disabled=${locked}
      @change=${(event) => this.#change(name, number ? Math.round(event.target.valueAsNumber || 0) : event.target.value)}
    />`;
  }

  #error(name) {
    const error = this.errors[name];
    return error
      ? html`<p class="field-error" role="alert">${icon('circle-alert')}<span>${errorText(error)}</span></p>`
      : nothing;
  }
}

function group(settings) {
  const sections = new Map();
  for (const setting of settings) sections.set(setting.section, [...(sections.get(setting.section) ?? []), setting]);
  return sections;
}

customElements.define('oc-settings', Settings);
