// The last lines a server complained with, without the secrets it was given.

const LINES_KEPT = 200;
const LINE_CHARS = 2_000;
/** Shorter ones would take ordinary words out. */
const SECRET_CHARS_MIN = 4;

export class StderrLog {
  readonly #lines: string[] = [];
  #partial = '';
  #secrets: readonly string[] = [];

  hide(secrets: readonly string[]): void {
    this.#secrets = secrets.filter((secret) => secret.length >= SECRET_CHARS_MIN);
  }

  add(text: string): void {
    const lines = (this.#partial + text).split('\n');
    this.#partial = (lines.pop() ?? '').slice(0, LINE_CHARS);
    // A flood is cut before it is looked at.
    for (const line of lines.slice(-LINES_KEPT)) this.#lines.push(this.#clean(line));
    this.#lines.splice(0, this.#lines.length - LINES_KEPT);
  }

  lines(limit = LINES_KEPT): string[] {
    const all = this.#partial === '' ? this.#lines : [...this.#lines, this.#clean(this.#partial)];
    return all.slice(-limit);
  }

  #clean(line: string): string {
    let text = line.slice(0, LINE_CHARS);
    for (const secret of this.#secrets) text = text.replaceAll(secret, '***');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal would obey them
    return text.replace(/[\x00-\x08\x0b-\x1f\x7f]/g, '');
  }
}
