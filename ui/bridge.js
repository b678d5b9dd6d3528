// The one way from the page to Python: calls with answers, and events, over one ordered WebSocket.
//
// Generic: it knows no method's name. client/bridge_api.py is the contract. When the socket is lost, calls under way
// fail with code `bridge_lost`, and subscribers of `open` start afresh from a new snapshot once it is back.

const FIRST_DELAY = 150;
const LONGEST_DELAY = 3000;

export class CallError extends Error {
  constructor({ code, text, retry = false, retry_after = null }) {
    super(text);
    this.name = 'CallError';
    this.code = code;
    this.text = text;
    this.retry = retry;
    this.retry_after = retry_after;
  }
}

export class Bridge {
  #url;
  #socket = null;
  #nextId = 1;
  #calls = new Map();
  #subscribers = new Map();
  #delay = FIRST_DELAY;

  /** `url` is the address of the bridge's WebSocket. */
  constructor(url) {
    this.#url = url;
  }

  get connected() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Connect, and stay connected. `open` and `lost` are told to subscribers like events from Python. */
  connect() {
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.addEventListener('open', () => {
      this.#delay = FIRST_DELAY;
      this.#tell('open', {});
    });
    socket.addEventListener('message', (message) => this.#receive(JSON.parse(message.data)));
    socket.addEventListener('close', () => {
      for (const { reject } of this.#calls.values()) reject(lost());
      this.#calls.clear();
      this.#tell('lost', {});
      setTimeout(() => this.connect(), this.#delay);
      this.#delay = Math.min(this.#delay * 2, LONGEST_DELAY);
    });
  }

  /** Call a method of Python. Rejects with CallError. Answers come in the order of the calls. */
  call(method, args = {}) {
    if (!this.connected) return Promise.reject(lost());
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, method, args }));
    });
  }

  /** Be told of an event; returns the function that ends it. */
  on(event, subscriber) {
    const all = this.#subscribers.get(event) ?? new Set();
    this.#subscribers.set(event, all.add(subscriber));
    return () => all.delete(subscriber);
  }

  #receive(frame) {
    if (frame.event !== undefined) {
      this.#tell(frame.event, frame.data);
      return;
    }
    const call = this.#calls.get(frame.id);
    this.#calls.delete(frame.id);
    if (frame.error) call?.reject(new CallError(frame.error));
    else call?.resolve(frame.result);
  }

  #tell(event, data) {
    for (const subscriber of [...(this.#subscribers.get(event) ?? [])]) subscriber(data);
  }
}

function lost() {
  return new CallError({ code: 'bridge_lost', text: 'The program behind this page does not answer.', retry: true });
}
