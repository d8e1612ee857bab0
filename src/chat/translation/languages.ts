// The languages a translation may go to or come from, and what a model is told they are called.
import { AppError } from '../../shared/errors.js';

/** What every client may name; further ones only where the installation trusts its models with them. */
export const GUARANTEED_LANGUAGES: readonly string[] = ['pl', 'en', 'de'];

// Made when first asked: the names of all languages are 6 MB of memory.
let names: Intl.DisplayNames | undefined;

/** Such as "Polish". @throws AppError `invalid_input` for what is no language code */
export function languageName(code: string): string {
  let name: string | undefined;
  names ??= new Intl.DisplayNames(['en'], { type: 'language', fallback: 'none' });
  try {
    name = names.of(code);
  } catch {
    name = undefined;
  }
  if (name === undefined) throw new AppError('invalid_input', `${code.slice(0, 40)} is no language code.`);
  return name;
}

export interface LanguageClaims {
  /** Codes an operator trusts the models with; `*` stands for all. */
  readonly trusted: readonly string[];
}

/** @throws AppError `invalid_input` */
export function checkTarget(code: string, allowAny: boolean, { trusted }: LanguageClaims): void {
  if (GUARANTEED_LANGUAGES.includes(code)) return;
  if (!allowAny) throw new AppError('invalid_input', `The language must be one of ${GUARANTEED_LANGUAGES.join(', ')}.`);
  languageName(code);
  if (!trusted.includes('*') && !trusted.includes(code))
    throw new AppError(
      'invalid_input',
      `No model here is trusted with ${code}; TRANSLATION_LANGUAGES names the languages that are, beside ${GUARANTEED_LANGUAGES.join(', ')}.`,
    );
}
