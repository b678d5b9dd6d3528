// Plays Python for patterns.html and for tests of the page alone: the calls and events of client/bridge_api.py,
// over canned data. The real program never loads this file.

import { CallError } from './bridge.js';

const FAMILY = ['王', '李', '张', '刘', '陈', '杨', '赵', '黄', '周', '吴', '徐', '孙'];
const GIVEN = ['伟', '芳', '秀英', '敏', '静', '丽华', '强', '磊', '洋', '艳', '晓明', '思远', '雨桐', '子涵', '浩然'];
const ENGLISH = [
  'Anna Lindqvist',
  'Tom Baker',
  'Maria Rossi',
  'James O’Connor',
  'Priya Nair',
  'Lucas Meyer',
  'Sara Haddad',
];
const DEPARTMENTS = [
  ['研发中心', ['平台组', '客户端组', '测试组']],
  ['产品与设计', ['产品组', '设计组']],
  ['销售部', ['华东区', '华南区', 'International']],
  ['人力资源', []],
  ['Finance', []],
];
const TITLES = ['工程师', '高级工程师', '产品经理', '设计师', '销售经理', 'Account Manager', 'Analyst', '招聘专员'];
const STATUS = ['开会中', '在客户现场', 'Back at 3 pm', '专注写代码，请留言'];

/** The same numbers every time: pictures and tests compare. (A linear congruential generator.) */
function numbers(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function person(index, department, random) {
  const english = random(4) === 0;
  const name = english ? ENGLISH[random(ENGLISH.length)] : FAMILY[random(FAMILY.length)] + GIVEN[random(GIVEN.length)];
  const presence = ['online', 'online', 'online', 'away', 'busy', 'offline', 'offline'][random(7)];
  return {
    id: `u${index}`,
    name,
    login: `user${index}`,
    title: TITLES[random(TITLES.length)],
    department,
    email: `user${index}@example.com`,
    phone: `+86 21 5555 ${1000 + (index % 9000)}`,
    disabled: false,
    presence,
    status_text: presence !== 'offline' && random(6) === 0 ? STATUS[random(STATUS.length)] : '',
  };
}

/** A company with about this many people, a tree of departments three levels deep. */
function company(people) {
  const random = numbers(7);
  const root = { id: 'd0', name: '云杉科技 Spruce', parent: null, children: [], people: [] };
  const leaves = [];
  let number = 0;
  const many = Math.max(1, Math.round(people / 600));
  for (let round = 0; round < many; round += 1) {
    for (const [name, groups] of DEPARTMENTS) {
      const suffix = round ? ` ${round + 1}` : '';
      const department = node(`${name}${suffix}`, root);
      for (const group of groups) leaves.push(node(group, department));
      if (groups.length === 0) leaves.push(department);
    }
  }
  function node(name, parent) {
    number += 1;
    const made = { id: `d${number}`, name, parent, children: [], people: [] };
    parent.children.push(made);
    return made;
  }
  const all = [];
  for (let index = 1; index <= people; index += 1) {
    const leaf = leaves[(index - 1) % leaves.length];
    const path = leaf.parent === root ? leaf.name : `${leaf.parent.name} / ${leaf.name}`;
    const one = person(index, path, random);
    leaf.people.push(one);
    all.push(one);
  }
  return { root, all };
}

function counts(department) {
  let online = department.people.filter((one) => one.presence !== 'offline').length;
  let people = department.people.length;
  for (const child of department.children) {
    const below = counts(child);
    online += below.online;
    people += below.people;
  }
  return { online, people };
}

const DAY = 86_400_000;

const TALK = [
  [0, '早上好！昨天的版本已经发到测试环境了。'],
  [0, '有空的时候帮忙看一下？https://wiki.example.com/release/2026-11?tab=notes'],
  [1, '好的，我上午看。'],
  [
    1,
    'Could you also send me the list of what changed since the last one? I would like to forward it to the customer.',
  ],
  [0, 'Sure, here it is:\n– faster start\n– a new search\n– fewer clicks to find a colleague 😀'],
  [1, '太好了，谢谢！'],
  [0, '下午两点的评审会照常，会议室改到 3 楼。'],
  [1, '收到 👍'],
];

/** `many` messages between `me` and `peer`, the last ones a short while ago. */
export function talk(many, peer, now) {
  const messages = [];
  for (let index = 0; index < many; index += 1) {
    const left = many - index;
    const [who, text] = TALK[index % TALK.length];
    messages.push({
      key: `m-${String(index + 1).padStart(8, '0')}`,
      seq: index + 1,
      at: now - Math.floor(left / TALK.length) * (DAY / 3) - (left % TALK.length) * 120_000,
      sender: who ? 'me' : peer.id,
      mine: who === 1,
      text: many > 50 ? `${index + 1}. ${text}` : text,
      state: who ? 'read' : 'received',
      error: null,
    });
  }
  return messages;
}

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
