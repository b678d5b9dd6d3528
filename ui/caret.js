// Lets the caret rest. Each blink draws the whole window again: 2 % of a core without a GPU, for as long as it is open.

export const RESTS_AFTER_MS = 10_000;

// After so long without a key or a click the caret stands still, and blinks again with the next one.
export function restCaret(target = document) {
  const root = target.documentElement;
  const rest = () => root.classList.add('resting');
  let timer = setTimeout(rest, RESTS_AFTER_MS);
  const wake = () => {
    root.classList.remove('resting');
    clearTimeout(timer);
    timer = setTimeout(rest, RESTS_AFTER_MS);
  };
  for (const kind of ['keydown', 'input', 'pointerdown', 'focusin']) target.addEventListener(kind, wake, true);
}
