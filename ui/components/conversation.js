// One conversation: who it is with, what was said, and the composer. The same in its own window and docked.

import { OcElement } from '../element.js';
import { plainLine } from '../format.js';
import { errorText, t } from '../i18n.js';
import { place, prepend, readUpTo, remove } from '../messages.js';
import { avatar, emptyState, icon, nameOf, presenceMark, presenceText, roleOf } from '../parts.js';
import { html, nothing } from '../vendor/lit.js';
import './composer.js';
import './link-state.js';
import './person-card.js';
import './timeline.js';

const PAGE = 50;
// What is far above the newest messages is let go of when the person is back at the end.
const KEPT = 400;

class Conversation extends OcElement {
  static properties = {
    bridge: { attribute: false },
    app: { attribute: false },
    conversation: { attribute: false },
    docked: { type: Boolean },
    view: { state: true },
    messages: { state: true },
    hasOlder: { state: true },
    older: { state: true },
    firstUnread: { state: true },
    typing: { state: true },
    peer: { state: true },
    error: { state: true },
    card: { state: true },
  };

  constructor() {
    super();
    this.docked = false;
    this.#clear();
  }

  #clear() {
    this.view = null;
    this.messages = [];
    this.hasOlder = false;
    this.older = 'idle'; // idle, loading, or the error that the last page met
    this.firstUnread = 0;
    this.typing = false;
    this.peer = null;
    this.error = null;
    this.card = false;
    this.marked = 0;
    this.atBottom = false;
  }

  connectedCallback() {
    super.connectedCallback();
    const on = (event, handle) =>
      this.until(this.bridge.on(event, (data) => data.conversation === this.conversation && this.view && handle(data)));
    on('message_changed', ({ message }) => this.#take(message));
    on('message_removed', ({ key }) => {
      this.messages = remove(this.messages, key);
    });
    on('conversation_changed', (data) => {
      this.peer = data.peer;
      this.typing = data.typing;
      this.messages = readUpTo(this.messages, data.read_by_peer);
    });
    on('conversation_reset', () => this.#load());
    on('focus_composer', () => this.node('composer')?.focusInput());
    this.until(this.bridge.on('open', () => this.#load()));
    this.listen(window, 'focus', () => this.#seen());
    this.listen(document, 'visibilitychange', () => this.#seen());
    this.until(() => this.#leave(this.conversation));
  }

  willUpdate(changed) {
    if (!changed.has('conversation')) return;
    if (changed.get('conversation')) this.#leave(changed.get('conversation'));
    this.#clear();
    this.#load();
  }

  updated() {
    this.#title();
  }

  #leave(conversation) {
    this.generation = (this.generation ?? 0) + 1;
    this.bridge.call('close_conversation', { conversation }).catch((error) => {
      if (error.code !== 'bridge_lost') throw error;
    });
  }

  async #load() {
    const { conversation } = this;
    const generation = (this.generation ?? 0) + 1;
    this.generation = generation;
    // What happens between this answer and the next event is in order: the bridge keeps it.
    try {
      const view = await this.bridge.call('get_conversation', { conversation });
      if (generation !== this.generation) return;
      const again = this.view !== null;
      this.view = view;
      this.peer = view.peer;
      this.typing = view.typing;
      this.messages = view.messages;
      this.hasOlder = view.has_older;
      if (!again) {
        this.firstUnread = view.first_unread;
        this.marked = view.first_unread ? view.first_unread - 1 : view.last_seq;
      }
      this.error = null;
      this.older = 'idle';
      await this.updateComplete;
      this.#seen();
      if (!again && document.hasFocus()) this.node('composer')?.focusInput();
    } catch (error) {
      if (generation === this.generation && error.code !== 'bridge_lost') this.error = error;
    }
  }

  #take(message) {
    this.messages = place(this.messages, message, this.hasOlder);
    if (message.mine) {
      // Whoever answers has read.
      if (message.state === 'waiting') this.firstUnread = 0;
    } else if (message.state !== 'failed') {
      this.typing = false;
      if (!this.#watching && !this.firstUnread && message.seq > this.marked) this.firstUnread = message.seq;
    }
    this.updateComplete.then(() => this.#seen());
  }

  get #watching() {
    return document.visibilityState === 'visible' && document.hasFocus() && this.atBottom;
  }

  /** Tell Python that what is in view has been read: only where somebody can have seen it. */
  #seen() {
    if (!this.view || !this.#watching) return;
    const newest = this.messages.findLast((message) => !message.mine && message.seq > 0)?.seq ?? 0;
    if (newest <= this.marked) return;
    this.marked = newest;
    this.bridge.call('mark_read', { conversation: this.conversation, seq: newest }).catch(() => {
      this.marked = 0; // The next look tells it again.
    });
    this.requestUpdate();
  }

  #title() {
    if (this.docked || !this.peer) return;
    const unread = this.messages.filter((message) => !message.mine && message.seq > this.marked).length;
    const name = plainLine(this.peer.name);
    const title = unread > 0 ? `(${unread}) ${name}` : name;
    if (title === this.shownTitle) return;
    this.shownTitle = title;
    document.title = title;
    this.bridge.call('set_title', { title: title.slice(0, 300) }).catch(() => {
      this.shownTitle = '';
    });
  }

  #getOlder = async () => {
    if (this.older === 'loading' || !this.hasOlder) return;
    const first = this.messages.find((message) => message.seq > 0);
    if (!first) return;
    this.older = 'loading';
    const { generation, conversation } = this;
    try {
      const page = await this.bridge.call('get_older', { conversation, before: first.seq, limit: PAGE });
      if (generation !== this.generation) return;
      this.messages = prepend(this.messages, page.messages);
      this.hasOlder = page.has_older;
      this.older = page.error ?? 'idle';
    } catch (error) {
      if (generation === this.generation) this.older = error;
    }
  };

  #moved = (event) => {
    this.atBottom = event.detail.bottom;
    if (this.atBottom && this.messages.length > KEPT * 2) {
      this.messages = this.messages.slice(-KEPT);
      this.hasOlder = true;
    }
    this.#seen();
  };

  render() {
    if (this.error) {
      return html`<div class="conversation">
        ${this.docked ? html`<header class="conversation-head is-failed">${this.#back()}</header>` : nothing}
        ${emptyState(
          'circle-alert',
          t('conversation-failed'),
          errorText(this.error),
          html`<button class="button" type="button" @click=${() => this.#load()}>${t('action-retry')}</button>`,
        )}
      </div>`;
    }
    if (!this.view) return html`<div class="conversation is-loading" aria-busy="true"></div>`;
    const { peer } = this;
    return html`<div
      class="conversation"
      data-conversation=${this.conversation}
      @get-older=${this.#getOlder}
      @timeline-moved=${this.#moved}
      @retry-message=${(event) => this.#act('retry_message', { key: event.detail.key })}
      @discard-message=${(event) => this.#act('discard_message', { key: event.detail.key })}
      @open-link=${(event) => this.#act('open_link', { url: event.detail.url })}
    >
      ${this.#head(peer)}
      <div class="conversation-body">
        <oc-link-state .bridge=${this.bridge} .link=${this.app.link}></oc-link-state>
        <oc-timeline
          data-timeline
          .conversation=${this.conversation}
          .messages=${this.messages}
          .peer=${peer}
          .firstUnread=${this.firstUnread}
          .marked=${this.marked}
          .hasOlder=${this.hasOlder}
          .older=${this.older}
          .typing=${this.typing}
        ></oc-timeline>
      </div>
      <oc-composer
        data-composer
        .bridge=${this.bridge}
        .conversation=${this.conversation}
        .draft=${this.view.draft}
        .peer=${peer}
      ></oc-composer>
      ${
        this.card
          ? html`<oc-person-card
            .bridge=${this.bridge}
            .person=${peer}
            .me=${this.app.me}
            inside
            @close=${() => {
              this.card = false;
            }}
          ></oc-person-card>`
          : nothing
      }
    </div>`;
  }

  #head(peer) {
    const role = roleOf(peer);
    return html`<header class="conversation-head">
      ${this.docked ? this.#back() : nothing}
      <button
        class="conversation-peer"
        type="button"
        title=${t('card-title')}
        @click=${() => {
          this.card = true;
        }}
      >
        ${avatar(peer, { presence: '' })}
        <span class="conversation-words">
          <span class="conversation-line">
            <h1 class="conversation-name">${nameOf(peer)}</h1>
            <span class="conversation-presence" data-presence=${peer.presence}>
              ${presenceMark(peer.presence)}<bdi>${presenceText(peer)}</bdi>
            </span>
          </span>
          <span class="conversation-role"><bdi>${role}</bdi></span>
        </span>
      </button>
    </header>`;
  }

  #back() {
    return html`<button class="icon-button conversation-back" type="button" aria-label=${t('action-back')} title=${t('action-back')} @click=${() => this.tell('close-docked')}>
      ${icon('arrow-left')}
    </button>`;
  }

  #act(method, args) {
    this.bridge.call(method, args).catch((error) => {
      if (error.code !== 'bridge_lost') throw error;
    });
  }
}

customElements.define('oc-conversation', Conversation);
