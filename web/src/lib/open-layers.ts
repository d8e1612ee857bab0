// Whether a dialog, a menu or a list lay above the page when Escape was pressed. Noted before any of them hears of the key:
// afterwards it is closed and nothing tells that the key was meant for it.
let openAtEscape = false;

const isOpen = (): boolean =>
  [...document.querySelectorAll('[role="dialog"], [role="menu"], [role="listbox"]')].some((each) =>
    each.checkVisibility(),
  );

export function noteOpenLayers(): void {
  addEventListener(
    'keydown',
    (event) => {
      if (event.key === 'Escape') openAtEscape = isOpen();
    },
    { capture: true },
  );
}

export const escapeWasForLayer = (): boolean => openAtEscape;
