// What a licence asks of whoever uses a model, as far as its name says it. A first sorting, and no legal advice. Pure.

import type { LicenceClass } from './discovery-terms.js';

/** By their identifiers at SPDX and at Hugging Face. */
const PERMISSIVE: ReadonlySet<string> = new Set([
  '0bsd',
  'afl-3.0',
  'apache',
  'apache-2.0',
  'artistic-2.0',
  'blueoak-1.0.0',
  'bsd',
  'bsd-2-clause',
  'bsd-3-clause',
  'bsd-3-clause-clear',
  'bsl-1.0',
  'cc-by-2.0',
  'cc-by-2.5',
  'cc-by-3.0',
  'cc-by-4.0',
  'cc0-1.0',
  'cdla-permissive-1.0',
  'cdla-permissive-2.0',
  'ecl-2.0',
  'isc',
  'mit',
  'mit-0',
  'ms-pl',
  'ncsa',
  'odc-by',
  'pddl',
  'postgresql',
  'unlicense',
  'wtfpl',
  'zlib',
]);
const SAYS_NOTHING: ReadonlySet<string> = new Set(['', 'other', 'unknown', 'unlicensed', 'none', 'n/a', 'custom']);

export function licenceClass(licence: string | null): LicenceClass {
  const name = (licence ?? '').trim().toLowerCase();
  if (SAYS_NOTHING.has(name)) return 'unknown';
  return PERMISSIVE.has(name) ? 'permissive' : 'restricted';
}
