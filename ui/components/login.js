// The log-in page: server, user, password, remember me; each failure is told beside the field it concerns.

import { OcElement } from '../element.js';
import { errorText, has, t } from '../i18n.js';
import { icon } from '../parts.js';
import { html, ifDefined, nothing } from '../vendor/lit.js';
import './settings.js';

/** Which field a failure is about; what is not here is about none. */
const FIELD_OF = {
  bad_credentials: 'password',
  account_disabled: 'user',
  bad_address: 'server',
  name_not_found: 'server',
  connection_refused: 'server',
  timeout: 'server',
  link_failed: 'server',
  server_busy: 'server',
  not_an_oschat_server: 'server',
  update_required: 'server',
  tls_too_old: 'server',
  tls_wanted: 'server',
  certificate_file_unusable: '',
};

function fieldOf(code) {
  return FIELD_OF[code] ?? (code.startsWith('certificate') ? 'server' : '');
}

class Login extends OcElement {
  static properties = {
    bridge: { attribute: false },
    app: { attribute: false },
    busy: { state: true },
    error: { state: true },
    shown: { state: true },
    seen: { state: true },
    settings: { state: true },
  };

  constructor() {
    super();
    this.busy = false;
    this.error = null;
    this.shown = false;
    this.seen = null;
    this.settings = false;
    this.blockedUntil = 0;
  }

  connectedCallback() {
    super.connectedCallback();
    this.until(() => clearInterval(this.ticking));
  }

  firstUpdated() {
    const first = ['server', 'user', 'password'].find((name) => this.#field(name).value === '');
    this.#field(first ?? 'password').focus();
  }

  #field(name) {
    return this.querySelector(`[data-field="${name}"]`);
  }

  #submit = async (event) => {
    event.preventDefault();
    if (this.busy || this.#wait() > 0) return;
    const args = {
      server: this.#field('server').value.trim(),
      user: this.#field('user').value.trim(),
      password: this.#field('password').value,
      remember: this.#field('remember').checked,
    };
    const missing = ['server', 'user', 'password'].find((name) => args[name] === '');
    if (missing) {
      this.error = { code: `missing_${missing}`, field: missing };
      this.#field(missing).focus();
      return;
    }
    this.busy = true;
    this.error = null;
    this.seen = this.app.link.error;
    try {
      await this.bridge.call('log_in', args);
    } catch (error) {
      await this.#explain(error);
    } finally {
      this.busy = false;
    }
  };

  async #explain(error) {
    this.error = error;
    if (error.retry_after > 0) this.#countDown(error.retry_after);
    this.busy = false;
    await this.updateComplete;
    const field = this.#field(fieldOf(error.code) || 'password');
    field.focus();
    if (field.dataset.field === 'password') field.select();
  }

  #countDown(seconds) {
    this.blockedUntil = Date.now() + seconds * 1000;
    clearInterval(this.ticking);
    this.ticking = setInterval(() => {
      if (this.#wait() === 0) {
        clearInterval(this.ticking);
        this.error = null;
      }
      this.requestUpdate();
    }, 1000);
  }

  /** Seconds until another attempt is allowed. */
  #wait() {
    return Math.max(0, Math.ceil((this.blockedUntil - Date.now()) / 1000));
  }

  #edited = () => {
    if (this.#wait() > 0) return;
    this.error = null;
    this.seen = this.app.link.error;
  };

  /** What to tell: the answer to the last attempt, else why an earlier log-in ended, until it has been seen. */
  get told() {
    const earlier = this.app.link.error;
    return this.error ?? (earlier === this.seen ? null : earlier);
  }

  render() {
    const { app } = this;
    return html`<main class="login">
      <form class="login-card" novalidate aria-busy=${this.busy ? 'true' : 'false'} @submit=${this.#submit} data-login>
        <header class="login-head">
          <img class="login-logo" src="icon.svg" alt="" width="56" height="56" />
          <h1 class="login-title">${app.organisation ? html`<bdi>${app.organisation}</bdi>` : t('login-title')}</h1>
          <p class="login-text">${t('login-text')}</p>
        </header>
        ${this.#notice()} ${this.#general()}
        ${this.#input('server', {
          value: app.server,
          readonly: app.server_locked,
          placeholder: 'chat.example.com',
          autocomplete: 'url',
          inputmode: 'url',
          hint: app.server_locked ? t('login-server-locked') : '',
        })}
        ${this.#input('user', { value: app.login, autocomplete: 'username' })} ${this.#input('password', {
          autocomplete: 'current-password',
        })}
        <div class="login-remember">
          <label class="check">
            <input
              type="checkbox"
              data-field="remember"
              .checked=${app.remember && app.remember_possible}
              ?disabled=${!app.remember_possible || this.busy}
              aria-describedby=${app.remember_possible ? nothing : 'login-remember-note'}
            />
            <span>${t('login-remember')}</span>
          </label>
          ${
            app.remember_possible
              ? nothing
              : html`<p class="field-hint" id="login-remember-note">${t('login-remember-impossible')}</p>`
          }
        </div>
        <button class="button button-primary login-submit" type="submit" ?disabled=${this.busy || this.#wait() > 0}>
          ${this.busy ? html`<span class="spinner" aria-hidden="true"></span>${t('login-busy')}` : t('login-submit')}
        </button>
        <button
          class="button"
          type="button"
          data-settings
          @click=${() => {
            this.settings = true;
          }}
        >
          ${icon('settings')}${t('settings-title')}
        </button>
      </form>
      <p class="login-version">${t('app-version', { version: app.version })}</p>
      ${
        this.settings
          ? html`<oc-settings
            .bridge=${this.bridge}
            .app=${app}
            @close=${() => {
              this.settings = false;
            }}
          ></oc-settings>`
          : nothing
      }
    </main>`;
  }

  #input(name, { value = '', readonly = false, placeholder = '', autocomplete = '', inputmode, hint = '' }) {
    const message = this.#messageFor(name);
    const secret = name === 'password';
    const type = secret && !this.shown ? 'password' : 'text';
    return html`<div class="field ${message ? 'has-error' : ''}">
      <label class="field-label" for=${`login-${name}`}>${t(`login-${name}`)}</label>
      <div class="field-box">
        <input
          class="field-input"
          id=${`login-${name}`}
          data-field=${name}
          type=${type}
          .value=${value}
          ?readonly=${readonly || this.busy}
          placeholder=${placeholder}
          autocomplete=${autocomplete}
          inputmode=${ifDefined(inputmode)}
          autocapitalize="off"
          spellcheck="false"
          dir="auto"
          maxlength=${{ server: 500, user: 200, password: 1000 }[name]}
          aria-invalid=${message ? 'true' : 'false'}
          aria-describedby=${message || hint ? `login-${name}-note` : nothing}
          @input=${this.#edited}
        />
        ${readonly ? html`<span class="field-mark">${icon('lock')}</span>` : nothing} ${secret ? this.#eye() : nothing}
      </div>
      ${
        message
          ? html`<p class="field-error" id=${`login-${name}-note`} role="alert" data-error=${this.told.code}>
            ${icon('circle-alert')}<span>${message}</span>
          </p>`
          : hint
            ? html`<p class="field-hint" id=${`login-${name}-note`}>${hint}</p>`
            : nothing
      }
    </div>`;
  }

  #eye() {
    return html`<button
      class="icon-button field-eye"
      type="button"
      aria-pressed=${this.shown ? 'true' : 'false'}
      aria-label=${t('login-show-password')}
      title=${t('login-show-password')}
      @click=${() => {
        this.shown = !this.shown;
      }}
    >
      ${icon(this.shown ? 'eye-off' : 'eye')}
    </button>`;
  }

  #messageFor(name) {
    const error = this.told;
    if (!error || (error.field ?? fieldOf(error.code)) !== name) return '';
    return errorText(error);
  }

  #general() {
    const error = this.told;
    if (!error || error.field || fieldOf(error.code)) return nothing;
    const told = error === this.error && this.#wait() > 0 ? { ...error, retry_after: this.#wait() } : error;
    return html`<p class="banner banner-error" role="alert" data-error=${error.code}>
      ${icon('circle-alert')}<span>${errorText(told)}</span>
    </p>`;
  }

  #notice() {
    const { notice } = this.app;
    const id = `notice-${notice}`;
    if (!notice || !has(id)) return nothing;
    return html`<p class="banner banner-info" role="status" data-notice=${notice}>
      ${icon('info')}<span>${t(id)}</span>
    </p>`;
  }
}

customElements.define('oc-login', Login);
