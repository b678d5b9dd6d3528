// Plays Python for patterns.html and for tests of the page alone: the calls and events of client/bridge_api.py,
// over canned data. The real program never loads this file.

import { CallError } from './bridge.js';
import { company, counts, DAY, talk } from './patterns-company.js';

export class FakePython {
  #subscribers = new Map();
  #next = 0;

  constructor({ window = 'main', people = 60, history = 8, now = Date.now(), app = {}, conversation = {} } = {}) {
    this.calls = [];
    this.connected = true;
    this.now = now;
    this.company = company(people);
    this.me = { ...this.company.all[4], id: 'me', name: '林晓雨', login: 'linxy', presence: 'online', status_text: '' };
    this.company.all[4] = this.me;
    this.company.root.children
      .flatMap((one) => [one, ...one.children])
      .forEach((one) => {
        one.people = one.people.map((p) => (p.id === 'u5' ? this.me : p));
      });
    this.peer = { ...this.company.all[0], name: '陈思远', presence: 'online', title: '高级工程师', status_text: '' };
    this.window = window;
    this.app = {
      phase: 'ready',
      link: { state: 'online', retry_at: null, error: null },
      me: this.me,
      chosen_state: 'online',
      status_text: '',
      organisation: '云杉科技',
      server: 'chat.example.com',
      login: 'linxy',
      remember: true,
      server_locked: false,
      remember_possible: true,
      notice: '',
      unread: 0,
      conversations_in: 'windows',
      language: 'system',
      appearance: 'system',
      version: '0.1.0',
      ...app,
    };
    this.history = talk(history, this.peer, now - 90_000);
    this.conversation = conversation;
    this.recents = this.#recents();
    this.fail = {};
    this.answers = {};
  }

  on(event, subscriber) {
    const all = this.#subscribers.get(event) ?? new Set();
    this.#subscribers.set(event, all.add(subscriber));
    return () => all.delete(subscriber);
  }

  emit(event, data = {}) {
    for (const subscriber of [...(this.#subscribers.get(event) ?? [])]) subscriber(data);
  }

  async call(method, args = {}) {
    this.calls.push({ method, args });
    await Promise.resolve();
    if (this.fail[method]) throw new CallError({ text: 'Failed.', ...this.fail[method] });
    if (this.answers[method]) return this.answers[method](args);
    const known = this[`_${method}`];
    if (!known) throw new CallError({ code: 'unknown_method', text: `No method ${method}` });
    return known.call(this, args);
  }

  /** Change what every window knows, and tell it. */
  change(app) {
    this.app = { ...this.app, ...app };
    this.emit('app_changed', { app: this.app });
  }

  /** A message of the peer arrives. */
  receive(text, more = {}) {
    const seq = (this.history.at(-1)?.seq ?? 0) + 1;
    const message = {
      key: `r-${String(seq).padStart(8, '0')}`,
      seq,
      at: Date.now(),
      sender: this.peer.id,
      mine: false,
      text,
      state: 'received',
      error: null,
      ...more,
    };
    this.history = [...this.history, message];
    this.emit('message_changed', { conversation: 'd.me.u1', message });
    return message;
  }

  #recents() {
    const rows = this.company.all.slice(0, 14).filter((one) => one.id !== 'me');
    const previews = [
      '收到 👍',
      '下午两点的评审会照常，会议室改到 3 楼。',
      'Thanks, I will have a look this afternoon.',
      '报销单已经提交',
      'https://wiki.example.com/release',
      '周五一起吃饭？',
    ];
    return rows.map((peer, index) => ({
      conversation: `d.me.${peer.id}`,
      peer: index === 0 ? this.peer : peer,
      preview: previews[index % previews.length],
      draft: index === 3,
      mine: index % 3 === 0,
      at:
        this.now -
        [90_000, 40 * 60_000, 3 * 3_600_000, DAY, DAY, 2 * DAY, 4 * DAY, 9 * DAY, 40 * DAY, 400 * DAY][index % 10],
      unread: [0, 3, 0, 0, 128, 0][index] ?? 0,
      typing: index === 2,
      wants_to_talk: index === 5,
      failed: index === 6,
    }));
  }

  _start() {
    const main = this.window === 'main';
    return {
      window: { kind: main ? 'main' : 'conversation', conversation: main ? '' : this.window },
      app: this.app,
      native: true,
    };
  }

  _get_recents({ offset, limit }) {
    return { rows: this.recents.slice(offset, offset + limit), total: this.recents.length };
  }

  _get_tree({ expanded, offset, limit }) {
    const open = new Set(expanded);
    const rows = [];
    const walk = (department, depth) => {
      department.counts ??= counts(department);
      const isOpen = open.has(department.id);
      const { id, name } = department;
      rows.push({ kind: 'department', id, depth, name, expanded: isOpen, ...department.counts, person: null });
      if (!isOpen) return;
      for (const child of department.children) walk(child, depth + 1);
      for (const one of department.people) rows.push(personRow(one, depth + 1));
    };
    walk(this.company.root, 0);
    return { rows: rows.slice(offset, offset + limit), total: rows.length };
  }

  _search({ query, offset, limit }) {
    const words = query.toLowerCase().split(/\s+/);
    const found = this.company.all.filter((one) => {
      const text = `${one.name} ${one.login} ${one.title} ${one.department}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    const rows = found.map((one) => personRow(one, 0));
    for (const one of this.company.root.children) {
      if (one.name.toLowerCase().includes(words[0])) {
        rows.unshift({
          kind: 'department',
          id: one.id,
          depth: 0,
          name: one.name,
          expanded: false,
          ...counts(one),
          person: null,
        });
      }
    }
    return { rows: rows.slice(offset, offset + limit), total: rows.length };
  }

  _get_person({ id }) {
    if (id === this.peer.id) return this.peer;
    return this.company.all.find((one) => one.id === id) ?? this.peer;
  }

  _open_conversation({ peer }) {
    const place = this.app.conversations_in === 'docked' ? 'docked' : 'window';
    return { conversation: `d.me.${peer}`, place, url: `?window=d.me.${peer}` };
  }

  _get_conversation({ conversation }) {
    return {
      id: conversation,
      peer: this.peer,
      messages: this.history.slice(-50),
      has_older: this.history.length > 50,
      first_unread: 0,
      last_seq: this.history.at(-1)?.seq ?? 0,
      draft: '',
      typing: false,
      ...this.conversation,
    };
  }

  _get_older({ before, limit }) {
    const older = this.history.filter((one) => one.seq > 0 && one.seq < before);
    return { messages: older.slice(-limit), has_older: older.length > limit, error: null };
  }

  _send_message({ conversation, text }) {
    this.#next += 1;
    const key = `own-${String(this.#next).padStart(6, '0')}`;
    const waiting = { key, seq: 0, at: Date.now(), sender: 'me', mine: true, text, state: 'waiting', error: null };
    this.emit('message_changed', { conversation, message: waiting });
    const seq = (this.history.at(-1)?.seq ?? 0) + 1;
    const sent = { ...waiting, seq, state: 'sent' };
    this.history = [...this.history, sent];
    queueMicrotask(() => this.emit('message_changed', { conversation, message: sent }));
    return { key };
  }

  _discard_message({ key }) {
    this.emit('message_removed', { conversation: 'd.me.u1', key });
    return {};
  }

  _choose_presence({ state, text }) {
    const shown = state === 'invisible' ? 'offline' : state;
    this.me = { ...this.me, presence: shown, status_text: text };
    this.change({ chosen_state: state, status_text: text, me: this.me });
    return {};
  }

  _get_settings() {
    const choice = (name, section, choices) => ({
      name,
      section,
      kind: 'choice',
      value: this.app[name],
      default: choices[0],
      choices,
      minimum: null,
      maximum: null,
      locked: false,
    });
    return {
      settings: [
        choice('language', 'general', ['system', 'en', 'zh-CN']),
        choice('appearance', 'general', ['system', 'light', 'dark']),
        choice('conversations_in', 'general', ['windows', 'docked']),
        {
          ...choice('send_typing', 'privacy', []),
          kind: 'switch',
          value: true,
          default: true,
        },
      ],
    };
  }

  _change_setting({ name, value }) {
    this.change({ [name]: value });
    this.emit('settings_changed');
    return {};
  }

  _log_in() {
    this.change({ phase: 'ready' });
    return {};
  }

  _log_out() {
    this.change({ phase: 'login' });
    return {};
  }
}

// Calls whose answer says only that it was done.
for (const method of [
  'reconnect_now',
  'close_conversation',
  'retry_message',
  'mark_read',
  'set_typing',
  'save_draft',
  'open_link',
  'set_title',
  'report_problem',
]) {
  FakePython.prototype[`_${method}`] = () => ({});
}

function personRow(one, depth) {
  return { kind: 'person', id: one.id, depth, name: one.name, expanded: false, online: 0, people: 0, person: one };
}
