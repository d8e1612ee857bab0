// A text as a reader understands it: digits, letters and blanks of any form as the plain ones, without the characters that
// nobody sees, with the escapes of addresses and pages resolved, and with Latin letters in words that mix them with others of
// the same look. For looking only; it says where each place stood.
import { LOOK_ALIKES } from './look-alikes.js';
import { TURN_CHARS } from './turn.js';

/** Looks at a possible form in one go beside what is read. */
const TURN_LOOKS = 10_000;
/** No form below is longer, with what it is known by on either side. */
const LONGEST_FORM = 32;
/** Letters of Greek, Cyrillic and Armenian. Looked at where the same word has Latin ones: a word of one script is itself. */
const OTHER = String.raw`[\u0370-\u058f]`;
const MIXED = String.raw`(?<=[A-Za-z_])${OTHER}{1,25}|(?<!${OTHER})${OTHER}{1,25}(?=[\-_]?[A-Za-z])`;

/** Where one of the forms may begin. A look at each of these alone costs a tenth of a look for the forms themselves. */
const CANDIDATES = new RegExp(
  String.raw`[%\\&[({\u00ad\u00b2\u00b3\u00b9\u0131\u017f\u0250-\u02af]|\u034f|[\u0600-\u3040\u3164\ua620-\uabff\ud800-\udbff\ue000-\uffff]|${MIXED}`,
  'g',
);

/** What a reader takes for something else than its code says. `a [at] b [dot] de` is how people hide an address in public. */
const FORMS = new RegExp(
  [
    String.raw`\p{Default_Ignorable_Code_Point}`,
    String.raw`[\p{Nd}--[0-9]]`,
    String.raw`[\p{Zs}--[ \u00a0]]`,
    String.raw`[\u2028\u2029]`,
    String.raw`[\u017f\u00b2\u00b3\u00b9\u1d2c-\u1d6a\u2070-\u2079\u2080-\u2089\u24b6-\u24e9\u{1d400}-\u{1d7cb}\uff01-\uff5e\ufe50-\ufe6b]`,
    `[${[...LOOK_ALIKES.keys()].join('')}]`,
    String.raw`[\u2010-\u2015\u2212]`,
    '%[2-7][0-9A-Fa-f]',
    String.raw`\\u00[2-7][0-9A-Fa-f]`,
    String.raw`&(?:#(?:\d{2,3}|x[2-7][0-9A-Fa-f])|commat|period);`,
    String.raw`(?<=[\p{L}\d] ?)[\[\(\{] ?(?:at|AT|ät|małpa|malpa|dot|DOT|punkt|kropka) ?[\]\)\}] ?(?=[\p{L}\d])`,
  ].join('|'),
  'vy',
);

export interface PlainReading {
  readonly text: string;
  /** The place in the text that was read, of a place in the reading. */
  origin(at: number): number;
}

/** Goes on where it was whenever it is asked again; a text that is plain already is its own reading. */
export function* plainReading(text: string): Generator<void, PlainReading> {
  let plain = '';
  /** Its end; to ask the string for it each time would put its pieces together each time. */
  let last = '';
  let copied = 0;
  /** Places in the reading from which on another offset counts, and the place in the text of each. */
  const places: number[] = [];
  const origins: number[] = [];
  let looked = 0;
  for (let turn = 0; turn < text.length; turn += TURN_CHARS) {
    if (turn > 0) yield;
    // What stands before a form may be what it is known by.
    const from = Math.max(0, turn - LONGEST_FORM);
    const turnEnd = turn - from + TURN_CHARS;
    const slice = text.slice(from, turn + TURN_CHARS + LONGEST_FORM);
    let at = Math.max(turn, copied) - from;
    let mixedEnd = 0;
    for (;;) {
      let candidate = at;
      if (at >= mixedEnd) {
        // Set anew each time: others may have used them while this waited.
        CANDIDATES.lastIndex = at;
        const found = CANDIDATES.exec(slice);
        candidate = found?.index ?? turnEnd;
        if (candidate >= turnEnd) break;
        mixedEnd = candidate + (found?.[0].length ?? 0);
      }
      at = candidate + 1;
      looked += 1;
      if (looked % TURN_LOOKS === 0) yield;
      FORMS.lastIndex = candidate;
      const form = FORMS.exec(slice)?.[0];
      if (form === undefined) continue;
      let start = from + candidate;
      const end = start + form.length;
      const hidden = form.length > 2 && OPENING.test(form);
      if (hidden && start > copied && text[start - 1] === ' ') start -= 1;
      const before = start > copied ? (text[start - 1] as string) : last;
      const reading = readingOf(form, before, text[end] ?? '');
      if (reading === undefined) continue;
      at = end - from;
      plain += text.slice(copied, start);
      last = reading || before;
      if (reading !== '') {
        places.push(plain.length);
        origins.push(start);
        plain += reading;
      }
      places.push(plain.length);
      origins.push(end);
      copied = end;
    }
  }
  if (places.length === 0) return { text, origin: (at) => at };
  plain += text.slice(copied);
  return {
    text: plain,
    origin(at) {
      let low = 0;
      let high = places.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((places[middle] as number) <= at) low = middle + 1;
        else high = middle;
      }
      return low === 0 ? at : (origins[low - 1] as number) + at - (places[low - 1] as number);
    },
  };
}

const OPENING = /^[[({]/;
/** Of characters whose reading does not depend on what stands beside them. */
const KNOWN = new Map<string, string | undefined>();

/** Undefined where it is what it seems. */
function readingOf(form: string, before: string, after: string): string | undefined {
  const first = form[0] as string;
  if (first === '%' || first === '\\' || first === '&') {
    const sign = unescaped(form);
    if (sign === ' ') return /\d/.test(before) && /[\dA-Z]/.test(after) ? sign : undefined;
    return /[\w@.+:=/-]/.test(sign) ? sign : undefined;
  }
  // No single character is longer than two units.
  if (form.length > 2) return /^. ?(?:at|ät|ma[łl]pa)/iu.test(form) ? '@' : '.';
  // Between digits a dash of any length joins; between words only the hyphens do.
  if (/[\u2010-\u2015\u2212]/.test(form)) return form < '\u2012' || /\d/.test(before) ? '-' : undefined;
  if (!KNOWN.has(form)) KNOWN.set(form, plainForm(form));
  return KNOWN.get(form);
}

function plainForm(form: string): string | undefined {
  const look = LOOK_ALIKES.get(form);
  if (look !== undefined) return look;
  if (/\p{Default_Ignorable_Code_Point}/u.test(form)) return '';
  if (/[\u2028\u2029]/.test(form)) return '\n';
  if (/\p{Zs}/u.test(form)) return ' ';
  const plain = form.normalize('NFKC');
  if (/^[!-~]$/.test(plain)) return plain;
  return /^\p{Nd}$/u.test(form) ? String(digitOf(form.codePointAt(0) as number)) : undefined;
}

function unescaped(form: string): string {
  if (form === '&commat;') return '@';
  if (form === '&period;') return '.';
  const decimal = /^&#(\d+);$/.exec(form)?.[1];
  const code =
    decimal === undefined ? Number.parseInt(/[0-9A-Fa-f]{2}(?=;?$)/.exec(form)?.[0] ?? '', 16) : Number(decimal);
  return String.fromCharCode(code);
}

/** Every script's ten digits stand in a row, from a place that ends with 0 or with 6. */
const digitOf = (code: number): number => {
  const unit = code & 15;
  return unit < 6 || /^\p{Nd}$/u.test(String.fromCodePoint(code - unit)) ? unit : unit - 6;
};
