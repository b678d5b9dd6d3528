// Times, names and counts as people read them. Pure, but for the clock and the language.

import { language, t } from './i18n.js';

const formats = new Map();

function format(options, locale = language()) {
  const key = locale + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(locale, options));
  return formats.get(key);
}

/** Days between the local calendar days of two times (milliseconds). */
function daysBetween(earlier, later) {
  const day = (time) => {
    const date = new Date(time);
    return Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / 86_400_000;
  };
  return day(later) - day(earlier);
}

export function sameDay(one, other) {
  return daysBetween(one, other) === 0;
}

/** 14:05 */
export function clock(time) {
  return format({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(time);
}

/** The full date and time, for tooltips and screen readers. */
export function fullTime(time) {
  return format({ dateStyle: 'full', timeStyle: 'short' }).format(time);
}

/** A list's short time: the clock today, then yesterday, the weekday, the date. */
export function listTime(time, now = Date.now()) {
  const days = daysBetween(time, now);
  if (days <= 0) return clock(time);
  if (days === 1) return t('time-yesterday');
  if (days < 7) return format({ weekday: 'short' }).format(time);
  if (new Date(time).getFullYear() === new Date(now).getFullYear()) {
    return format({ month: 'short', day: 'numeric' }).format(time);
  }
  return format({ year: 'numeric', month: 'numeric', day: 'numeric' }).format(time);
}

/** A day separator's text. */
export function dayName(time, now = Date.now()) {
  const days = daysBetween(time, now);
  if (days === 0) return t('time-today');
  if (days === 1) return t('time-yesterday');
  const sameYear = new Date(time).getFullYear() === new Date(now).getFullYear();
  return format({ weekday: 'long', month: 'long', day: 'numeric', ...(sameYear ? {} : { year: 'numeric' }) }).format(
    time,
  );
}

/** 1,234 */
export function count(number) {
  return number.toLocaleString(language());
}

/** An unread count that keeps its place: 99+ at most. */
export function badge(number) {
  return number > 99 ? '99+' : String(number);
}

// Marks that turn the direction of what follows, and characters that take no room: in a name they only deceive.
const DECEIVING = /[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\p{Cc}]/gu;
const OVERRIDE = /[\u202d\u202e]/g;

/** A name, title or status as it is shown: one line, with deceiving characters made visible. */
export function plainLine(text) {
  return text.replace(DECEIVING, '\ufffd');
}

/** A message's text as it is shown: overrides of the writing direction, which no honest text needs, made visible. */
export function plainText(text) {
  return text.replace(OVERRIDE, '\ufffd');
}

const EMOJI = '(?:\\p{Emoji_Presentation}|\\p{Emoji}\\ufe0f)[\\ufe0f\\u20e3\\p{Emoji_Modifier}]*';
const FEW_EMOJI = new RegExp(`^\\s*(?:(?:\\p{RI}\\p{RI}|${EMOJI}(?:\\u200d${EMOJI})*)\\s*){1,3}$`, 'u');

/** Whether a message is one to three emoji alone, which are shown larger. */
export function onlyEmoji(text) {
  return text.length < 100 && FEW_EMOJI.test(text);
}

const HAN = /\p{Script=Han}/u;
const LETTER = /[\p{L}\p{N}]/u;

/** Two letters that stand for a name: a Chinese given name's last two characters, else first and last initial. */
export function initials(name) {
  const letters = [...name.normalize('NFC')].filter((character) => LETTER.test(character));
  if (letters.length > 0 && letters.every((character) => HAN.test(character))) return letters.slice(-2).join('');
  const words = name.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  if (words.length === 0) return '?';
  const first = [...words[0]][0];
  const last = words.length > 1 ? [...words[words.length - 1]][0] : '';
  return (first + last).toLocaleUpperCase('en');
}

/** Which of the 8 avatar colours belongs to an id (FNV-1a, so that it is the same everywhere). */
export function hue(id) {
  let hash = 0x811c9dc5;
  for (let index = 0; index < id.length; index += 1) {
    hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193) >>> 0;
  }
  return (hash >>> 8) % 8;
}
