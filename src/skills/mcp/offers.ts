// What a server offers beside tools - prompts, resources, templates of resources, instructions - compared with what a person
// agreed to: words that are new or have changed wait, as those of tools do. Pure.
import { boundsRefusal } from './schema-bounds.js';
import { hashOf } from './server-definition.js';

export const OFFER_KINDS = ['prompt', 'resource', 'resource_template', 'instructions'] as const;
export type OfferKind = (typeof OFFER_KINDS)[number];

/** Of each kind. */
export const OFFERS_MAX = 1_000;
const NAME_CHARS = 2_000;
const DESCRIPTION_CHARS = 20_000;

/** Words of a server, only what is read or passed on; nothing that changes with a resource's content. */
export interface OfferDefinition {
  kind: OfferKind;
  /** A prompt's name, a resource's address, a template; of instructions always the same word. */
  name: string;
  /** How a resource calls itself. */
  label?: string;
  title?: string;
  description?: string;
  mimeType?: string;
  /** Of a prompt: what it asks for. */
  arguments?: unknown;
  annotations?: Record<string, unknown>;
}

export interface StoredOffer {
  /** What the server says now. */
  definition: OfferDefinition;
  hash: string;
  /** What a person agreed to; null for what came later. */
  approved: { hash: string; definition: OfferDefinition } | null;
  /** Why it cannot be offered at all; null where it can. */
  refused: string | null;
  /** The server no longer lists it. */
  gone: boolean;
}

export interface OfferChange {
  field: 'label' | 'title' | 'description' | 'mimeType' | 'arguments' | 'annotations';
  before: unknown;
  after: unknown;
}

/** As it was listed; null of a kind that could not be asked for, which stays as it was known. */
export type ListedOffers = Readonly<Record<OfferKind, readonly OfferDefinition[] | null>>;

export const promptOffer = (prompt: Readonly<Record<string, unknown>>): OfferDefinition =>
  offer('prompt', String(prompt['name']), prompt, { arguments: prompt['arguments'] });

export const resourceOffer = (resource: Readonly<Record<string, unknown>>): OfferDefinition =>
  offer('resource', String(resource['uri']), resource, { label: resource['name'] });

export const templateOffer = (template: Readonly<Record<string, unknown>>): OfferDefinition =>
  offer('resource_template', String(template['uriTemplate']), template, { label: template['name'] });

export const instructionsOffer = (text: string): OfferDefinition => ({
  kind: 'instructions',
  name: 'instructions',
  description: text,
});

export const offerHash = (definition: OfferDefinition): string => hashOf({ ...definition });

/** @returns them in the order of kind and name; of two with one name the first counts, the other is refused */
export function mergeOffers(
  known: readonly StoredOffer[],
  listed: ListedOffers,
  { approveAll }: { approveAll: boolean },
): StoredOffer[] {
  const before = new Map(known.map((each) => [keyOf(each.definition), each]));
  const merged = new Map<string, StoredOffer>();
  for (const kind of OFFER_KINDS) {
    const definitions = listed[kind];
    const former = known.filter((each) => each.definition.kind === kind);
    for (const definition of definitions?.slice(0, OFFERS_MAX) ?? []) {
      const key = keyOf(definition);
      const twin = merged.get(key);
      if (twin) {
        merged.set(key, { ...twin, refused: 'The server lists two of this name.' });
        continue;
      }
      const refused = refusalOf(definition);
      const hash = offerHash(definition);
      merged.set(key, {
        definition: refused ? { kind, name: definition.name.slice(0, NAME_CHARS) } : definition,
        hash,
        approved: approveAll && !refused ? { hash, definition } : (before.get(key)?.approved ?? null),
        refused,
        gone: false,
      });
    }
    for (const each of former) {
      const key = keyOf(each.definition);
      if (merged.has(key)) continue;
      if (definitions === null) merged.set(key, each);
      // What comes back the same need not be agreed to again.
      else if (each.approved) merged.set(key, { ...each, gone: true });
    }
  }
  return [...merged.values()].sort((a, b) => (keyOf(a.definition) < keyOf(b.definition) ? -1 : 1));
}

export const isAgreedOffer = (each: StoredOffer): boolean =>
  !each.gone && each.refused === null && each.approved?.hash === each.hash;

export const isWaitingOffer = (each: StoredOffer): boolean =>
  !each.gone && each.refused === null && each.approved?.hash !== each.hash;

/** What differs from what was agreed to; everything, for what is new. */
export function offerChanges({ approved, definition }: StoredOffer): OfferChange[] {
  const fields = ['label', 'title', 'description', 'mimeType', 'arguments', 'annotations'] as const;
  return fields.flatMap((field) => {
    const before = approved?.definition[field] ?? null;
    const after = definition[field] ?? null;
    return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ field, before, after }];
  });
}

const keyOf = ({ kind, name }: OfferDefinition): string => `${OFFER_KINDS.indexOf(kind)}\0${name}`;

function offer(
  kind: OfferKind,
  name: string,
  said: Readonly<Record<string, unknown>>,
  own: { label?: unknown; arguments?: unknown },
): OfferDefinition {
  const { title, description, mimeType } = said;
  return {
    kind,
    name,
    ...(typeof own.label === 'string' ? { label: own.label } : {}),
    ...(typeof title === 'string' ? { title } : {}),
    ...(typeof description === 'string' ? { description } : {}),
    ...(typeof mimeType === 'string' ? { mimeType } : {}),
    ...(own.arguments === undefined ? {} : { arguments: own.arguments }),
    ...annotationsOf(said['annotations']),
  };
}

/** When it was changed last is no word of a definition. */
function annotationsOf(value: unknown): Pick<OfferDefinition, 'annotations'> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  const { lastModified: _moment, ...annotations } = value as Record<string, unknown>;
  return Object.keys(annotations).length === 0 ? {} : { annotations };
}

function refusalOf(definition: OfferDefinition): string | null {
  if (definition.name === '' || definition.name.length > NAME_CHARS)
    return `Its name is empty or longer than ${NAME_CHARS} characters.`;
  if ((definition.description?.length ?? 0) > DESCRIPTION_CHARS)
    return `Its description is longer than ${DESCRIPTION_CHARS} characters.`;
  return boundsRefusal(
    [definition.label, definition.title, definition.mimeType, definition.arguments, definition.annotations],
    'What it says of itself',
  );
}
