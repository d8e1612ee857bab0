// The kinds of what must not leave the house, and what a finding of one is. Never the text itself.

export type SensitiveKind =
  | 'private_key'
  | 'api_key'
  | 'jwt'
  | 'password'
  | 'secret'
  | 'url_credentials'
  | 'email'
  | 'phone'
  | 'iban'
  | 'pesel'
  | 'payment_card'
  | 'postal_address'
  | 'custom_term'
  /** One of the contract's words with no value beside it: nothing to replace, so the whole text is sensitive. */
  | 'sensitive_word';

export interface Finding {
  kind: SensitiveKind;
  /** Offsets in UTF-16 units, end excluded. */
  start: number;
  end: number;
}

/** What masking can take out. A bare word cannot be: the meaning around it is what is sensitive. */
export const isMaskable = (kind: string): boolean => MASKABLE.has(kind);

const MASKABLE: ReadonlySet<string> = new Set<SensitiveKind>([
  'private_key',
  'api_key',
  'jwt',
  'password',
  'secret',
  'url_credentials',
  'email',
  'phone',
  'iban',
  'pesel',
  'payment_card',
  'postal_address',
  'custom_term',
]);

/** What masking leaves behind: it is not found again. */
export const PLACEHOLDER = new RegExp(`^\\[(?:${[...MASKABLE].join('|').toUpperCase()})_\\d+\\]?$`);

export const kindsOf = (findings: readonly Finding[]): string[] => [...new Set(findings.map(({ kind }) => kind))];

/** Of findings that share a place the wider wins, so that a card inside a password is one finding. */
export function withoutOverlaps(found: Finding[]): Finding[] {
  // Without custom terms and keys they are found in their order.
  const inOrder = found.every(({ start }, index) => index === 0 || start > (found[index - 1] as Finding).start);
  const sorted = inOrder ? found : found.sort((a, b) => a.start - b.start || b.end - a.end);
  const kept: Finding[] = [];
  for (const finding of sorted) {
    const last = kept.at(-1);
    if (!last || finding.start >= last.end) kept.push(finding);
    // Cut across each other: together they are one place, so that masking leaves no rest of either.
    else if (finding.end > last.end) last.end = finding.end;
  }
  return kept;
}
