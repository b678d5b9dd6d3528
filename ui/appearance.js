// Light or dark: the dark theme's sheet follows the system through its media query unless a setting says otherwise.

const FOLLOW = '(prefers-color-scheme: dark)';

/** Apply the setting `system`, `light` or `dark`. */
export function useAppearance(setting) {
  const media = { light: 'not all', dark: 'all' }[setting] ?? FOLLOW;
  for (const sheet of document.querySelectorAll('[data-appearance="dark"]')) {
    if (sheet.media !== media) sheet.media = media;
  }
}
