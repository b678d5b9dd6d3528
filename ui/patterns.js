// Every component in every state, with canned data, without Python.
//
// `?only=<pattern>` shows one over the whole window (for tests and pictures); `lang` and `theme` choose; `people` and
// `history` set how much there is.

import './trusted.js';
import './components/app.js';
import { useAppearance } from './appearance.js';
import { useLanguage } from './i18n.js';
import { FakePython } from './patterns-python.js';

const asked = new URLSearchParams(location.search);
const CONVERSATION = 'd.me.u1';

const ROSTER = [320, 640];
const TALK = [720, 640];

function python(options = {}) {
  return new FakePython({
    people: Number(asked.get('people') ?? 60),
    history: Number(asked.get('history') ?? 8),
    ...options,
    app: {
      language: asked.get('lang') ?? 'system',
      appearance: asked.get('theme') ?? 'system',
      ...options.app,
    },
  });
}

function login(app = {}, failure = null) {
  const made = python({ app: { phase: 'login', ...app } });
  if (failure) made.fail.log_in = failure;
  return made;
}

function conversation(options = {}) {
  return python({ window: CONVERSATION, ...options });
}

const link = (state, more = {}) => ({ state, retry_at: null, error: null, ...more });

const STATES = ['waiting', 'sent', 'read', 'failed'];

const HOSTILE = [
  '<img src=x onerror="alert(1)"><script>alert(2)</script>',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: hostile text, not a template
  '${alert(1)} {{7*7}} &lt;b&gt; javascript:alert(1) data:text/html,<b>x</b>',
  `${'A'.repeat(600)}`,
  '\u202Egnp.exe\u202C — txt.\u2066abc',
  `Z${'\u0301\u0310\u0352'.repeat(60)}algo`,
  'مرحبا، هذا نص من اليمين إلى اليسار مع English في الداخل. כן, גם עברית.',
  'http://аpple.com/login https://example.com/a_(b). mailto:a@example.com ftp://x.example file:///etc/passwd',
];

/** Each pattern: its size, and the Python that plays behind it. `act` does what a person would do first. */
const PATTERNS = {
  login: [ROSTER, () => login({ organisation: '', login: '' })],
  'login-wide': [[860, 680], () => login()],
  'login-bad-password': [ROSTER, () => login({}, { code: 'bad_credentials' }), submit],
  'login-unreachable': [ROSTER, () => login({}, { code: 'connection_refused', retry: true }), submit],
  'login-certificate': [ROSTER, () => login({}, { code: 'certificate_untrusted' }), submit],
  'login-too-many': [ROSTER, () => login({}, { code: 'too_many_attempts', retry: true, retry_after: 40 }), submit],
  'login-locked-no-keyring': [
    ROSTER,
    () => login({ server_locked: true, remember_possible: false, notice: 'no-keyring' }),
  ],
  'login-expired': [
    ROSTER,
    () => login({ link: link('idle', { error: { code: 'session_expired', text: '', retry: false } }) }),
  ],
  'login-busy': [
    ROSTER,
    () => {
      const made = login();
      made.answers.log_in = () => new Promise(() => {});
      return made;
    },
    submit,
  ],
  recents: [ROSTER, () => python({ app: { unread: 131 } })],
  'recents-hostile': [
    ROSTER,
    () => {
      const made = python({ app: { status_text: HOSTILE[0] } });
      made.recents = made.recents.map((row, index) => ({
        ...row,
        draft: false,
        typing: false,
        wants_to_talk: false,
        preview: HOSTILE[index % HOSTILE.length].slice(0, 300),
        peer: {
          ...row.peer,
          name: index % 2 ? HOSTILE[index % HOSTILE.length].slice(0, 200) : '<b>Evil</b> \u202Egnp.exe',
        },
      }));
      return made;
    },
  ],
  'recents-empty': [
    ROSTER,
    () => {
      const made = python();
      made.recents = [];
      return made;
    },
  ],
  organisation: [ROSTER, () => python(), (box) => press(box, '[data-tab="organisation"]')],
  'organisation-empty': [
    ROSTER,
    () => {
      const made = python();
      made.answers.get_tree = () => ({ rows: [], total: 0 });
      return made;
    },
    (box) => press(box, '[data-tab="organisation"]'),
  ],
  search: [ROSTER, () => python(), (box) => type(box, '[data-search]', '工程师')],
  'search-nothing': [ROSTER, () => python(), (box) => type(box, '[data-search]', 'zzz')],
  status: [ROSTER, () => python(), (box) => press(box, '[data-menu-button]')],
  offline: [ROSTER, () => python({ app: { link: link('waiting', { retry_at: Date.now() + 12_000 }) } })],
  connecting: [ROSTER, () => python({ app: { link: link('connecting') } })],
  docked: [[960, 640], () => python({ app: { conversations_in: 'docked' } }), (box) => press(box, '[data-index="0"]')],
  'docked-none': [[960, 640], () => python({ app: { conversations_in: 'docked' } })],
  conversation: [TALK, () => conversation()],
  'conversation-empty': [TALK, () => conversation({ history: 0 })],
  'conversation-unread': [TALK, () => conversation({ conversation: { first_unread: 5 } })],
  'conversation-draft': [TALK, () => conversation({ conversation: { draft: '没写完的话' } })],
  'conversation-typing': [TALK, () => conversation({ conversation: { typing: true } })],
  'conversation-offline': [
    TALK,
    () => conversation({ app: { link: link('waiting', { retry_at: Date.now() + 12_000 }) } }),
  ],
  'conversation-states': [
    TALK,
    () => {
      const made = conversation();
      const error = { code: 'text_too_long', text: '', retry: false };
      made.history = STATES.map((state, index) => ({
        key: `state-${state}`,
        seq: state === 'waiting' || state === 'failed' ? 0 : index + 1,
        at: made.now - 60_000,
        sender: 'me',
        mine: true,
        text: `${state} 你好`,
        state,
        error: state === 'failed' ? error : null,
      }));
      made.history.unshift({
        ...made.history[0],
        key: 'unsupported',
        mine: false,
        sender: 'u1',
        state: 'unsupported',
        text: '',
      });
      return made;
    },
  ],
  'conversation-hostile': [
    TALK,
    () => {
      const made = conversation();
      made.peer = {
        ...made.peer,
        name: '<b>Evil</b> \u202Egnp.exe',
        title: '<script>1</script>',
        status_text: HOSTILE[3],
      };
      made.history = HOSTILE.map((text, index) => ({
        ...talkLine(made, index + 1),
        text,
        mine: index % 2 === 1,
        state: index % 2 ? 'sent' : 'received',
      }));
      return made;
    },
  ],
  'conversation-disabled': [
    TALK,
    () => {
      const made = conversation();
      made.peer = { ...made.peer, disabled: true, presence: 'offline' };
      return made;
    },
  ],
  'conversation-failed': [
    TALK,
    () => {
      const made = conversation();
      made.fail.get_conversation = { code: 'no_such_conversation' };
      return made;
    },
  ],
  'conversation-long': [TALK, () => conversation({ history: Number(asked.get('history') ?? 400) })],
  emoji: [TALK, () => conversation(), (box) => press(box, '[data-emoji-button]')],
  'logged-out': [TALK, () => conversation({ app: { phase: 'login' } })],
  'bridge-lost': [
    ROSTER,
    () => python(),
    (_box, made) => {
      made.connected = false;
      made.emit('lost');
    },
  ],
};

// Dialogs stand over the whole page, so they are shown only on their own.
const DIALOGS = {
  card: [ROSTER, () => python(), openCard],
  settings: [ROSTER, () => python(), (box) => press(box, '[data-settings]')],
};

function talkLine(made, seq) {
  return { key: `line-${seq}-x`, seq, at: made.now - 60_000, sender: 'u1', error: null };
}

/** Wait until the node is there: components draw when their data has come. */
function when(box, selector) {
  return new Promise((resolve) => {
    const look = () => {
      const found = box.querySelector(selector);
      if (found) resolve(found);
      else requestAnimationFrame(look);
    };
    look();
  });
}

async function press(box, selector) {
  (await when(box, selector)).click();
}

async function type(box, selector, text) {
  const input = await when(box, selector);
  input.value = text;
  input.dispatchEvent(new InputEvent('input', { bubbles: true }));
}

async function submit(box) {
  const password = await when(box, '[data-field="password"]');
  password.value = 'secret';
  box.querySelector('[data-login]').requestSubmit();
}

async function openCard(box, made) {
  await press(box, '[data-tab="organisation"]');
  await when(box, '[data-index]');
  box.querySelector('oc-main').card = made.peer;
}

function show(name, parent) {
  const [size, make, act] = PATTERNS[name] ?? DIALOGS[name];
  const made = make();
  const app = document.createElement('oc-app');
  app.className = 'window';
  app.bridge = made;
  const box = document.createElement('div');
  box.className = 'pattern-box';
  box.dataset.pattern = name;
  box.append(app);
  parent.append(box);
  made.emit('open');
  act?.(app, made);
  return { box, size };
}

function all() {
  const bar = document.createElement('nav');
  bar.className = 'pattern-bar';
  for (const [name, choices] of [
    ['theme', ['light', 'dark']],
    ['lang', ['en', 'zh-CN']],
  ]) {
    for (const choice of choices) {
      const anchor = document.createElement('a');
      const query = new URLSearchParams(asked);
      query.set(name, choice);
      anchor.href = `?${query}`;
      anchor.textContent = choice;
      bar.append(anchor);
    }
  }
  const sheet = document.createElement('main');
  sheet.className = 'pattern-sheet';
  document.body.append(bar, sheet);
  for (const name of [...Object.keys(PATTERNS), ...Object.keys(DIALOGS)]) {
    const figure = document.createElement('figure');
    figure.className = 'pattern';
    const caption = document.createElement('figcaption');
    const anchor = document.createElement('a');
    const query = new URLSearchParams(asked);
    query.set('only', name);
    anchor.href = `?${query}`;
    anchor.textContent = name;
    caption.append(anchor);
    figure.append(caption);
    sheet.append(figure);
    if (name in DIALOGS) continue;
    const { box, size } = show(name, figure);
    box.style.width = `${size[0]}px`;
    box.style.height = `${size[1]}px`;
  }
}

await useLanguage(asked.get('lang') ?? 'system');
useAppearance(asked.get('theme') ?? 'system');
const only = asked.get('only');
if (only) {
  document.body.classList.add('is-only');
  show(only, document.body);
} else all();

/** For tests: what there is to show. */
document.body.dataset.patterns = [...Object.keys(PATTERNS), ...Object.keys(DIALOGS)].join(' ');
