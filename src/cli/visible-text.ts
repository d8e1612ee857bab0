// Text of others - a model's, a tool's, a catalogue's - as a terminal may be given it: what would move the cursor, rename the
// window or write to the clipboard is shown in place of being done.

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]|\r(?!\n)/g;
const PICTURES = 0x2400;
const DELETE_PICTURE = '\u2421';

/** Line ends and tabs stay; every other control character becomes its picture. */
export const visibleText = (text: string): string =>
  text.replace(CONTROLS, (control) => {
    const code = control.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(PICTURES + code);
    return code === 0x7f ? DELETE_PICTURE : '\ufffd';
  });
