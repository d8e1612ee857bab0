// Streets and postal codes, as English, Polish and German write them. A guess by form, so it is made only on request.

const STREETS = new Set('street st road rd avenue ave lane drive boulevard blvd square terrace'.split(' '));
const BEFORE = new Set('ul ulica ulicy al aleja alei os osiedle pl plac'.split(' '));
const REACH = 60;

/** The address that the word from `start` to `end` belongs to, or undefined. */
export function postalAddress(text: string, start: number, end: number): { start: number; end: number } | undefined {
  const word = text.slice(start, Math.min(end, start + 40));
  const lower = word.toLowerCase();
  if (STREETS.has(lower)) {
    const from = Math.max(0, start - REACH);
    const before = /(\d{1,5}[A-Za-z]?(?: [A-Z][\w'’-]{0,30}){1,3} )$/.exec(text.slice(from, start));
    return before ? { start: start - (before[1] as string).length, end } : undefined;
  }
  const after = text.slice(end, end + REACH);
  if (/(?:straße|strasse|str|gasse|allee|platz|weg)$/.test(lower) && word.length > 5) {
    const number = /^\.? \d{1,4} ?[a-z]?\b/.exec(after);
    if (number) return { start, end: end + number[0].length };
  }
  if (BEFORE.has(lower)) {
    const rest =
      /^\.? ?\p{Lu}[\p{L}.-]{1,30}(?: \p{Lu}[\p{L}.-]{1,30}){0,2} \d{1,4}[a-zA-Z]?(?: ?[/m.]{1,2} ?\d{1,4})?/u.exec(
        after,
      );
    if (rest) return { start, end: end + rest[0].length };
  }
  if (/^\d{2}-\d{3}$/.test(word) || /^\d{5}$/.test(word)) {
    const town = /^ \p{Lu}\p{Ll}{2,30}/u.exec(after);
    if (town) return { start, end: end + town[0].length };
  }
  return undefined;
}
