// Letters of other scripts that a reader takes for Latin ones. Each is one character and stands for one, so that places
// stay where they are.

/** By the letter they look like: Cyrillic, Greek and Armenian, then letters of phonetic script and small capitals. */
const LOOKS: Readonly<Record<string, string>> = {
  a: 'а\u03b1\u0251\u1d00',
  b: 'ь\u0299',
  c: 'с\u03f2\u1d04',
  d: '\u0501\u1d05',
  e: 'её\u03b5\u1d07',
  f: '\ua730',
  g: '\u0261\u0581\u0262',
  h: '\u04bbн\u0570\u029c',
  i: '\u0456\u0457\u03b9\u0131\u026a',
  j: '\u0458\u03f3\u1d0a',
  k: 'к\u03ba\u1d0b',
  l: '\u04cf\u029f',
  m: 'м\u1d0d',
  n: 'п\u03b7\u0578\u057c\u0274',
  o: 'о\u03bf\u03c3\u0585\u1d0f',
  p: 'р\u03c1\u1d18',
  q: '\u051b\u0563',
  r: 'г\u0280',
  s: '\u0455\ua731',
  t: 'т\u03c4\u1d1b',
  u: '\u03c5\u057d\u1d1c',
  v: '\u03bd\u0475\u1d20',
  w: 'ш\u03c9\u051d\u0561\u1d21',
  x: 'х\u03c7',
  y: 'у\u04af\u03b3\u028f',
  z: 'з\u1d22',
  A: 'А\u0391',
  B: 'В\u0392',
  C: 'С\u03f9',
  E: 'ЕЁ\u0395',
  H: 'Н\u0397',
  I: '\u0406\u0399\u04c0',
  J: '\u0408\u037f',
  K: 'К\u039a',
  M: 'М\u039c',
  N: '\u039d',
  O: 'О\u039f\u0555',
  P: 'Р\u03a1',
  S: '\u0405\u054f',
  T: 'Т\u03a4',
  U: '\u054d',
  V: '\u0474',
  W: '\u051c',
  X: 'Х\u03a7',
  Y: 'У\u04ae\u03a5',
  Z: '\u0396',
};

const OTHER_SCRIPT = 0x370;

export const LOOK_ALIKES: ReadonlyMap<string, string> = new Map(
  Object.entries(LOOKS).flatMap(([latin, others]) => Array.from(others, (other) => [other, latin] as const)),
);

/** A word of another script as it looks; undefined for one of ours, and where one of its letters looks like none of ours. */
export function latinLook(word: string): string | undefined {
  if (word.charCodeAt(0) < OTHER_SCRIPT) return undefined;
  let look = '';
  for (const letter of word) {
    const latin = LOOK_ALIKES.get(letter) ?? letter;
    if (latin.charCodeAt(0) > 127) return undefined;
    look += latin;
  }
  return look;
}
