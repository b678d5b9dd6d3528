// Texts from Fluent files, in the person's language, switched live.
//
// English is the base: what a language lacks is shown in English. Placeables are not wrapped in isolation marks, since
// no message puts a person's text inside a sentence that is shown; such texts stand in their own <bdi>.

import { reportProblem } from './trusted.js';
import { FluentBundle, FluentResource } from './vendor/fluent.js';

export const LANGUAGES = ['en', 'zh-CN'];
export const FILES = ['app', 'conversation', 'errors', 'settings'];

const bundles = new Map();
const listeners = new Set();
const reported = new Set();
let current = 'en';

async function load(language) {
  if (bundles.has(language)) return;
  const bundle = new FluentBundle(language, { useIsolating: false });
  const sources = await Promise.all(
    FILES.map(async (file) => (await fetch(new URL(`locales/${language}/${file}.ftl`, import.meta.url))).text()),
  );
  for (const source of sources) {
    for (const error of bundle.addResource(new FluentResource(source))) reportProblem(`Fluent: ${error}`);
  }
  bundles.set(language, bundle);
}

/** The language that a setting means: `system` is the first of the system's languages that we have. */
export function resolve(setting, system = navigator.languages) {
  if (LANGUAGES.includes(setting)) return setting;
  for (const tag of system) {
    const base = tag.toLowerCase().split('-')[0];
    if (base === 'zh') return 'zh-CN';
    if (base === 'en') return 'en';
  }
  return 'en';
}

/** Load the setting's language and switch to it. Before this has been awaited once, there are no texts. */
export async function useLanguage(setting) {
  const language = resolve(setting);
  await Promise.all(['en', language].map(load));
  if (current === language && document.documentElement.lang === language) return;
  current = language;
  document.documentElement.lang = language;
  for (const listener of [...listeners]) listener();
}

/** The language now, a BCP 47 tag. */
export function language() {
  return current;
}

/** Be told when the language changes; returns the function that ends it. */
export function onLanguage(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Whether there is a text with this id. */
export function has(id) {
  return bundles.get(current)?.hasMessage(id) || bundles.get('en')?.hasMessage(id) || false;
}

/** The text of `id`; the id itself where there is none, which is reported once. */
export function t(id, args = undefined) {
  for (const name of [current, 'en']) {
    const bundle = bundles.get(name);
    const message = bundle?.getMessage(id);
    if (message?.value != null) {
      const errors = [];
      const text = bundle.formatPattern(message.value, args, errors);
      if (errors.length && !reported.has(id)) reportProblem(`Fluent: ${id}: ${errors[0]}`);
      if (errors.length) reported.add(id);
      return text;
    }
  }
  if (!reported.has(id)) reportProblem(`Fluent: no text for ${id}`);
  reported.add(id);
  return id;
}

/** What an error means to the person: our translation of its code, else the text that came with it. */
export function errorText(error) {
  const id = `error-${error.code}`;
  return has(id) ? t(id, { seconds: error.retry_after ?? 0 }) : (error.text ?? String(error));
}
