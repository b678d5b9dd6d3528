// The messages of one conversation as a list: how events change it, and how it is divided for the eye. Pure.

import { sameDay } from './format.js';

/** Messages of one sender closer together than this (milliseconds) stand as one group. */
export const GROUP_GAP = 5 * 60_000;

function position(message) {
  return message.seq || Number.POSITIVE_INFINITY;
}

/**
 * The list with `message` in its place: it replaces the one with its key, and stands by seq, unsent ones last.
 * With `hasOlder`, a message before the first loaded one is left for its page.
 */
export function place(messages, message, hasOlder = false) {
  const at = findLast(messages, (one) => one.key === message.key);
  if (at >= 0 && messages[at].seq === message.seq) return messages.with(at, message);
  const rest = at >= 0 ? messages.toSpliced(at, 1) : messages;
  if (at < 0 && hasOlder && rest.length > 0 && position(message) < position(rest[0])) return messages;
  const before = findLast(rest, (one) => position(one) <= position(message));
  return rest.toSpliced(before + 1, 0, message);
}

/** The list without the message `key`. */
export function remove(messages, key) {
  return messages.filter((message) => message.key !== key);
}

/** The list with a page of older messages before it; what both have is taken once. */
export function prepend(messages, older) {
  const known = new Set(messages.map((message) => message.key));
  return [...older.filter((message) => !known.has(message.key)), ...messages];
}

/** The list with one's own messages up to `seq` read. */
export function readUpTo(messages, seq) {
  if (!messages.some((message) => message.state === 'sent' && message.seq <= seq)) return messages;
  return messages.map((message) =>
    message.state === 'sent' && message.seq <= seq ? { ...message, state: 'read' } : message,
  );
}

/** What stands around messages[index]: { day, unread, first, last }, each a boolean. */
export function around(messages, index, firstUnread) {
  const message = messages[index];
  const previous = messages[index - 1];
  const next = messages[index + 1];
  const isUnread = (one) => firstUnread > 0 && !one.mine && one.seq >= firstUnread;
  const day = !previous || !sameDay(previous.at, message.at);
  const unread = isUnread(message) && !messagesBefore(messages, index, isUnread);
  return {
    day,
    unread,
    first: day || unread || !together(previous, message),
    last: !next || !sameDay(message.at, next.at) || !together(message, next),
  };
}

function together(one, other) {
  return one.sender === other.sender && other.at - one.at < GROUP_GAP;
}

/** Whether any message before `index` is unread: unread ones are at the end, so a few steps back tell. */
function messagesBefore(messages, index, isUnread) {
  for (let at = index - 1; at >= 0; at -= 1) {
    if (isUnread(messages[at])) return true;
    if (!messages[at].mine) return false;
  }
  return false;
}

function findLast(list, matches) {
  for (let at = list.length - 1; at >= 0; at -= 1) if (matches(list[at])) return at;
  return -1;
}
