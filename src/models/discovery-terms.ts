// The words Discover chooses and judges by. They are API.

/** What a model that is not here yet is said to be good for. */
export const OFFERED_ABILITIES = ['chat', 'tools', 'vision', 'thinking', 'embedding'] as const;
export type OfferedAbility = (typeof OFFERED_ABILITIES)[number];

/**
 * `permissive`: any use, also for money, with no more than a notice. `restricted`: named, and asks for more: copyleft,
 * forbidden uses, no commerce, terms of the maker's own. `unknown`: none is named, or no more than that it is another one.
 */
export const LICENCE_CLASSES = ['permissive', 'restricted', 'unknown'] as const;
export type LicenceClass = (typeof LICENCE_CLASSES)[number];

/**
 * `good`: with room to spare. `slow`: there is memory, but a processor would take its time. `tight`: only just. `no`: more
 * than there is. `unknown`: a reason says why.
 */
export const PLACES = ['good', 'slow', 'tight', 'no', 'unknown'] as const;
export type Place = (typeof PLACES)[number];

/**
 * Why nobody can tell: `size_unknown`, the listing names none; `needs_gpu`, its engine wants one and none is seen here;
 * `elsewhere`, its engine runs on another machine; `unreadable`, the header could not be had; `unusable`, the file is damaged.
 */
export const UNKNOWN_BECAUSE = ['size_unknown', 'needs_gpu', 'elsewhere', 'unreadable', 'unusable'] as const;
export type UnknownBecause = (typeof UNKNOWN_BECAUSE)[number];

export const SORTS = ['trending', 'downloads', 'fit', 'size', 'name'] as const;
export type Sort = (typeof SORTS)[number];
