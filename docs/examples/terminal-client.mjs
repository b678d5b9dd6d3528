// A chat client for the terminal, written from ../protocol.md alone; it needs Node 22 or newer, and no packages.

import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const USAGE = 'usage: node terminal-client.mjs ws://HOST:PORT --user NAME --password-env VAR PEER_LOGIN';
const HOPELESS_CLOSES = {
  1008: 'this client broke a rule of the protocol: mend it',
  4001: 'this session was ended, or the account was disabled: log in again',
  4002: 'this client and the server have no protocol version in common: update the older one',
};

class Fatal extends Error {} // ends the program with one line
class LinkLost extends Error {} // no answer: whether the server did what was asked is not known
class Refused extends Error {
  constructor({ code, text, retry = false, retry_after = 2 }) {
    super(text);
    Object.assign(this, { code, retry, retryMs: retry_after * 1000 });
  }
}

const say = (line) => process.stdout.write(`${line}\n`);
// Others' text must not steer the terminal: control characters go, and new lines cannot look like lines of ours.
const printable = (text) => text.replace(/\r?\n/g, '\n    ').replace(/(?!\n)\p{Cc}/gu, '\uFFFD');

/** One WebSocket: brings answers to their requests, watches that the link lives, and tells with which code it ended. */
class Link {
  opened = Promise.withResolvers();
  closed = Promise.withResolvers();
  waiting = new Map(); // request id → who waits for its answer
  nextId = 1;

  /** `onFrame` sees every frame at once, in the order of arrival; with promises a push could overtake an answer. */
  constructor(url, onFrame) {
    this.socket = new WebSocket(url);
    this.socket.onopen = () => this.opened.resolve();
    this.socket.onclose = ({ code }) => this.end(code);
    this.socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data);
      onFrame(frame);
      const asked = this.waiting.get(frame.re);
      this.waiting.delete(frame.re);
      if (frame.type === 'error') asked?.reject(new Refused(frame));
      else asked?.resolve(frame);
    };
    this.pulse = setInterval(() => this.keepAlive(), 20_000);
  }

  request(type, fields = {}) {
    const answer = Promise.withResolvers();
    if (this.socket.readyState === WebSocket.OPEN) {
      this.waiting.set(this.nextId, answer);
      this.socket.send(JSON.stringify({ type, id: this.nextId++, ...fields }));
    } else answer.reject(new LinkLost());
    return answer.promise;
  }

  /** Pings in any case, not only when nothing came: a server may close on clients that only listen. */
  async keepAlive() {
    if (this.socket.readyState === WebSocket.CONNECTING) return this.end(1006);
    const dead = setTimeout(() => this.end(1006), 8_000);
    await this.request('ping').catch(() => {});
    clearTimeout(dead);
  }

  /** A dead link cannot say goodbye, so this does not wait for the close event. */
  end(code) {
    clearInterval(this.pulse);
    this.socket.onmessage = null;
    this.socket.close();
    for (const asked of [this.opened, ...this.waiting.values()]) asked.reject(new LinkLost());
    this.waiting.clear();
    this.closed.resolve(code);
  }
}

/** The conversation with one peer, across as many connections as it takes. */
class Chat {
  cursors = new Map(); // conversation id → the seq up to which we have everything
  outbox = []; // what no `sent` has come for, in the order of writing
  held = []; // events that were pushed before we had caught up
  gapEnd = 0; // the newest event that we know to be missing
  seen = 0; // the peer's newest message on the screen
  marked = 0; // how far the server knows that we have read
  readByPeer = 0;
  ready = false; // logged in and caught up

  constructor(url, user, password, peerLogin) {
    Object.assign(this, { url, user, password, peerLogin });
  }

  async run() {
    for (let failures = 0; ; failures++) {
      this.link = new Link(this.url, (frame) => this.receive(frame));
      let wait = 0;
      try {
        await this.link.opened.promise;
        await this.logIn();
        await this.catchUp();
        failures = 0;
        this.begin();
      } catch (error) {
        if (error instanceof Refused) {
          if (error.code === 'session_expired' && this.finishing) return; // only the answer to our logout was lost
          if (!error.retry || !this.token) throw new Fatal(error.message);
          wait = error.retryMs;
        } else if (!(error instanceof LinkLost)) throw error;
        this.link.end(1006);
      }
      const code = await this.link.closed.promise;
      this.ready = false;
      if (this.loggedOut) return;
      if (HOPELESS_CLOSES[code]) throw new Fatal(HOPELESS_CLOSES[code]);
      if (!this.token) throw new Fatal(`cannot log in at ${this.url}: the connection failed (${code})`);
      // Of our requests only a message can be too large.
      if (code === 1009 && this.outbox.shift()) say('* not sent: the message is too large');
      if (code === 1012) wait = 500 + Math.random() * 9_500;
      else if (code !== 4000) wait += Math.random() * Math.min(30_000, 500 * 2 ** failures);
      say(`* connection lost (${code}), trying again in ${(wait / 1000).toFixed(1)} s`);
      await sleep(wait);
    }
  }

  async logIn() {
    await this.link.request('hello', { protocol: 1, client: 'terminal-client/1.0' });
    const { user, token } = this.token
      ? await this.link.request('resume', { token: this.token })
      : await this.link.request('login', { user: this.user, password: this.password, device: 'terminal' });
    this.token = token || this.token;
    this.me = user.id;
    say(`* logged in as ${printable(user.name)}`);
  }

  /** Without get_presence, because this client does not show who is there. */
  async catchUp() {
    this.held = [];
    await Promise.all([this.link.request('set_presence', { state: 'online' }), this.sync(), this.getDirectory()]);
    if (!this.peer) throw new Fatal(`there is nobody with the log-in name ${this.peerLogin}`);
    if (!this.conversation) await this.link.request('open_conversation', { peer: this.peer.id });
  }

  async sync() {
    const cursors = Object.fromEntries(this.cursors); // the same for every page, although ours move meanwhile
    let page = '';
    do page = (await this.link.request('sync', { cursors, page })).next;
    while (page);
  }

  async getDirectory() {
    while ((await this.link.request('get_directory', { after: this.directoryCursor })).more);
  }

  begin() {
    this.ready = true;
    this.finishing = false;
    for (const event of this.held.splice(0)) this.apply(event);
    this.markRead();
    this.drain();
  }

  /** Takes what a frame tells, answers like pushes; who asked only learns that the answer came. */
  receive(frame) {
    if (frame.type === 'new_event') this.ready ? this.apply(frame.event) : this.held.push(frame.event);
    else if (frame.type === 'history') for (const event of frame.events) this.apply(event);
    else if (frame.type === 'sent') this.applySent(frame);
    else if (frame.type === 'synced') for (const state of frame.conversations) this.applyState(state);
    else if (frame.type === 'conversation_opened') this.showOpened(frame.conversation);
    else if (frame.type === 'directory') {
      const isPeer = ({ login }) => login.toLowerCase() === this.peerLogin.toLowerCase();
      this.peer = frame.people.findLast(isPeer) ?? this.peer; // given twice: the later one counts
      this.directoryCursor = frame.cursor;
    } else if (frame.type === 'error' && frame.re === undefined) say(`* the server did not understand: ${frame.text}`);
  }

  /** The rule of cursors: known already, or the next one, or beyond a gap. */
  apply(event) {
    const cursor = this.cursors.get(event.conversation) ?? 0;
    if (event.conversation !== this.conversation) {
      // It is not on the screen, so no gap matters: the cursor only spares us these events at the next sync.
      this.cursors.set(event.conversation, Math.max(cursor, event.seq));
      return;
    }
    // An own message in sync or history was stored, and only its `sent` was lost.
    if (event.sender === this.me) this.takeFromOutbox(event.message_id);
    if (event.seq > cursor + 1) this.fillGap(event.seq);
    if (event.seq !== cursor + 1) return;
    this.cursors.set(event.conversation, event.seq);
    this.show(event);
  }

  applySent({ message_id, ...rest }) {
    const message = this.takeFromOutbox(message_id); // if it is not there, the event itself came first
    if (message) this.apply({ ...rest, message_id, sender: this.me, kind: 'message', body: { text: message.text } });
  }

  applyState({ id, last_seq, events = [] }) {
    // A terminal cannot insert lines above, so missed events of the open conversation come in order, by filling the gap.
    if (id === this.conversation) for (const event of events) this.apply(event);
    else this.cursors.set(id, last_seq);
  }

  showOpened({ id, last_seq, read = {}, events = [] }) {
    this.conversation = id;
    this.cursors.set(id, last_seq);
    this.marked = read[this.me] ?? 0;
    this.readByPeer = read[this.peer.id] ?? 0;
    say(`* conversation with ${printable(this.peer.name)}; end of input (Ctrl-D) ends it`);
    for (const event of events) if (event.kind === 'message') this.show(event);
  }

  async fillGap(upTo) {
    this.gapEnd = Math.max(this.gapEnd, upTo); // also while filling: what is pushed meanwhile may be beyond the answer
    if (this.fillingGap) return;
    this.fillingGap = true;
    const cursor = () => this.cursors.get(this.conversation);
    try {
      for (let after = -1; after !== cursor() && cursor() < this.gapEnd; ) {
        after = cursor();
        await this.link.request('get_history', { conversation: this.conversation, after, limit: 200 });
      }
    } catch (error) {
      if (error instanceof Refused) say(`* cannot fetch what was missed: ${error.message}`); // the next event tries again
    }
    this.fillingGap = false;
  }

  show({ seq, at, sender, kind, body }) {
    const mine = sender === this.me;
    const name = mine ? 'you' : printable(this.peer.name);
    if (kind === 'message') {
      const state = mine ? (seq <= this.readByPeer ? ' (read)' : ' (sent)') : '';
      say(`#${seq} ${new Date(at).toLocaleString('sv-SE')} ${name}: ${printable(body.text)}${state}`);
      if (!mine) this.seen = seq;
      this.markRead();
    } else if (kind === 'read' && mine) {
      this.marked = Math.max(this.marked, body.seq); // perhaps by another device
    } else if (kind === 'read') {
      this.readByPeer = Math.max(this.readByPeer, body.seq);
      say(`* ${name} has read up to #${body.seq}`);
    } // other kinds are of newer versions: they only move the cursor
  }

  /** At most once a second, and only for messages: two clients that read each other's `read` would never end. */
  async markRead() {
    if (!this.ready || this.marking || this.seen <= this.marked) return;
    this.marking = true;
    const seq = this.seen;
    try {
      await this.link.request('mark_read', { conversation: this.conversation, seq });
      this.marked = Math.max(this.marked, seq);
      this.finish();
    } catch {} // it is tried again below, or by the next connection
    await sleep(1000);
    this.marking = false;
    this.markRead();
  }

  write(text) {
    if (text.trim() === '') return;
    this.outbox.push({ id: randomUUID(), text });
    this.drain();
  }

  takeFromOutbox(id) {
    const index = this.outbox.findIndex((message) => message.id === id);
    return index < 0 ? undefined : this.outbox.splice(index, 1)[0];
  }

  /** Sends one after the other, so that a message which must be sent again keeps its place before newer ones. */
  async drain() {
    if (this.draining) return;
    this.draining = true;
    while (this.ready && this.outbox.length > 0) {
      const { id, text } = this.outbox[0];
      try {
        await this.link.request('send', { conversation: this.conversation, message_id: id, body: { text } });
      } catch (error) {
        if (error instanceof LinkLost) break; // it stays in the outbox, for the next connection
        if (error.retry) await sleep(error.retryMs);
        else if (this.takeFromOutbox(id)) say(`* not sent: ${error.message} (${text.slice(0, 40)})`);
      }
    }
    this.draining = false;
    this.finish();
  }

  /** Logs out once the input has ended and nothing is owed any more. */
  async finish() {
    if (!this.inputEnded || !this.ready || this.outbox.length > 0 || this.seen > this.marked || this.finishing) return;
    this.finishing = true;
    try {
      await this.link.request('logout');
      this.loggedOut = true;
    } catch {} // the link was lost: the next connection does it
  }
}

function readArguments() {
  const options = { user: { type: 'string' }, 'password-env': { type: 'string', default: '' } };
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const password = process.env[values['password-env']];
  if (positionals.length !== 2 || !values.user || !/^wss?:/.test(positionals[0])) throw new Fatal(USAGE);
  if (!password) throw new Fatal(`no password in the environment variable "${values['password-env']}"`);
  return [positionals[0], values.user, password, positionals[1]];
}

try {
  const chat = new Chat(...readArguments());
  const input = createInterface({ input: process.stdin });
  input.on('line', (line) => chat.write(line));
  input.on('close', () => {
    chat.inputEnded = true;
    chat.finish();
  });
  await chat.run();
  process.exit(0);
} catch (error) {
  process.stderr.write(`terminal-client: ${error.message.split('\n')[0]}\n`);
  process.exit(2);
}
