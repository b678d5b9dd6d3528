// The base of all components: lit in light DOM, drawn again when the language changes.

import { onLanguage } from './i18n.js';
import { LitElement } from './vendor/lit.js';

export class OcElement extends LitElement {
  #ends = [];

  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    this.until(onLanguage(() => this.requestUpdate()));
  }

  disconnectedCallback() {
    for (const end of this.#ends.splice(0)) end();
    super.disconnectedCallback();
  }

  /** Call `end` when the component leaves the page: for subscriptions, timers and listeners. */
  until(end) {
    this.#ends.push(end);
  }

  /** Listen on something outside the component for as long as it is on the page. */
  listen(target, type, listener, options = undefined) {
    target.addEventListener(type, listener, options);
    this.until(() => target.removeEventListener(type, listener, options));
  }

  /** Tell the parents, as a bubbling DOM event. */
  tell(type, detail = undefined) {
    this.dispatchEvent(new CustomEvent(type, { bubbles: true, detail }));
  }

  /** The first node inside with this data-* attribute. */
  node(name) {
    return this.querySelector(`[data-${name}]`);
  }
}
