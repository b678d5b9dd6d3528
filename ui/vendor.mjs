// Bundles the page's libraries into ui/vendor/ (git-ignored), with their licences: `npm ci --ignore-scripts`, then this.
//
// Only libraries are bundled; our own modules are served as they are. Every file is written whole, then renamed, so
// that a page never reads half of one.

import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ui = dirname(fileURLToPath(import.meta.url));
const out = join(ui, 'vendor');
const modules = join(ui, '..', 'node_modules');

const BUNDLES = {
  'lit.js': `
    export { LitElement, html, svg, nothing } from 'lit';
    export { repeat } from 'lit/directives/repeat.js';
    export { live } from 'lit/directives/live.js';
    export { ifDefined } from 'lit/directives/if-defined.js';
    export { classMap } from 'lit/directives/class-map.js';`,
  'fluent.js': `export { FluentBundle, FluentResource } from '@fluent/bundle';`,
};

const ICONS = [
  'arrow-down',
  'arrow-left',
  'building-2',
  'check',
  'check-check',
  'chevron-down',
  'chevron-right',
  'circle-alert',
  'clock-3',
  'eye',
  'eye-off',
  'external-link',
  'id-card',
  'info',
  'lock',
  'log-out',
  'mail',
  'message-circle',
  'message-square-plus',
  'phone',
  'plug-zap',
  'rotate-cw',
  'search',
  'search-x',
  'send-horizontal',
  'settings',
  'smile',
  'trash-2',
  'users-round',
  'wifi-off',
  'x',
];

// Latin, Latin extended, Cyrillic and Greek; Chinese comes from the system's own fonts.
const FONTS = ['latin', 'latin-ext', 'cyrillic', 'greek'];

// Emoji that Windows 10's font already has; newer ones would show as boxes there.
const NEWEST_EMOJI = 14;

const PACKAGES = [
  'lit',
  'lit-html',
  'lit-element',
  '@lit/reactive-element',
  '@fluent/bundle',
  'lucide-static',
  'emoji-picker-element-data',
  '@fontsource-variable/inter',
];

async function put(name, data) {
  const target = join(out, name);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(`${target}.new`, data);
  await rename(`${target}.new`, target);
}

async function json(...path) {
  return JSON.parse(await readFile(join(modules, ...path), 'utf8'));
}

async function bundles() {
  for (const [name, contents] of Object.entries(BUNDLES)) {
    const result = await build({
      stdin: { contents, resolveDir: ui, sourcefile: name },
      bundle: true,
      format: 'esm',
      target: 'es2022',
      minify: true,
      legalComments: 'inline',
      conditions: ['production'],
      write: false,
    });
    await put(name, result.outputFiles[0].contents);
  }
}

async function icons() {
  const symbols = [];
  for (const name of ICONS) {
    const source = await readFile(join(modules, 'lucide-static', 'icons', `${name}.svg`), 'utf8');
    const inner = source.slice(source.indexOf('>', source.indexOf('<svg')) + 1, source.lastIndexOf('</svg>'));
    symbols.push(`<symbol id="${name}" viewBox="0 0 24 24">${inner.replace(/\s+/g, ' ').trim()}</symbol>`);
  }
  await put('icons.svg', `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join('\n')}\n</svg>\n`);
}

async function fonts() {
  const folder = join('@fontsource-variable', 'inter');
  const unicode = await json(folder, 'unicode.json');
  const faces = [];
  for (const subset of FONTS) {
    const file = `inter-${subset}-wght-normal.woff2`;
    await put(`fonts/${file}`, await readFile(join(modules, folder, 'files', file)));
    faces.push(`@font-face {
  font-family: "Inter Variable";
  font-weight: 100 900;
  font-display: swap;
  src: url("./${file}") format("woff2");
  unicode-range: ${unicode[subset]};
}`);
  }
  await put('fonts/inter.css', `${faces.join('\n\n')}\n`);
}

async function emoji() {
  const english = await json('emoji-picker-element-data', 'en', 'cldr', 'data.json');
  const chinese = new Map(
    (await json('emoji-picker-element-data', 'zh', 'cldr', 'data.json')).map((entry) => [entry.emoji, entry]),
  );
  const rows = english
    .filter((entry) => entry.version <= NEWEST_EMOJI)
    .sort((a, b) => a.order - b.order)
    .map((entry) => {
      const other = chinese.get(entry.emoji);
      const words = (one) => (one ? [...(one.tags ?? []), ...(one.shortcodes ?? [])] : []);
      return {
        emoji: entry.emoji,
        group: entry.group,
        en: entry.annotation,
        zh: other?.annotation ?? entry.annotation,
        words: [...new Set([...words(entry), ...words(other)])].join(' ').replaceAll('_', ' ').toLowerCase(),
      };
    });
  await put('emoji.json', JSON.stringify(rows));
}

async function licences() {
  const parts = [];
  for (const name of PACKAGES) {
    const facts = await json(name, 'package.json');
    let text = '';
    for (const file of ['LICENSE', 'LICENSE.md', 'LICENSE.txt']) {
      text ||= await readFile(join(modules, name, file), 'utf8').catch(() => '');
    }
    parts.push(
      `${facts.name} ${facts.version} (${facts.license})\n\n${text.trim() || `The text of ${facts.license} stands in this program's own LICENSE.`}\n`,
    );
  }
  await put('LICENSES.txt', parts.join(`\n${'-'.repeat(100)}\n\n`));
}

await rm(out, { recursive: true, force: true });
await Promise.all([bundles(), icons(), fonts(), emoji(), licences()]);
