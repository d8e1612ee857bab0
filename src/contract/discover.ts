// Discover: models of every catalogue, judged for this machine, chosen and ordered.
import { z } from 'zod';
import { LICENCE_CLASSES, OFFERED_ABILITIES, PLACES, SORTS, UNKNOWN_BECAUSE } from '../models/discovery-terms.js';
import { broughtWithin, decimal, flag } from './lax-values.js';
import { CatalogEntry } from './models.js';

export const DiscoverQuery = z.object({
  query: z.string().max(200).default('').describe('fewer than two letters: what is trending'),
  source: z.string().max(50).optional().describe('every catalogue where absent'),
  fits: flag().optional().describe('only what runs on this machine: well, slowly or only just'),
  licence: z.enum(LICENCE_CLASSES).optional(),
  ability: z.enum(OFFERED_ABILITIES).optional(),
  max_gb: decimal(z.number().positive().max(100_000)).optional().describe('of the weights, in 10^9 bytes'),
  sort: z.enum(SORTS).default('trending'),
  limit: broughtWithin(24, 100),
  page: broughtWithin(1, 1_000),
});

export const EntryFit = z.object({
  /** `good`, `slow` (memory, but no speed), `tight`, `no`, `unknown`. */
  verdict: z.enum(PLACES),
  /** Why it is unknown. */
  reason: z.enum(UNKNOWN_BECAUSE).nullable(),
  /** `listing` is an estimate; `header` is what the engine would plan with. */
  basis: z.enum(['listing', 'header']),
  /** The size or quantization that was judged. */
  of: z.string().nullable(),
  context_length: z.number().nullable(),
  total_bytes: z.number().nullable(),
  available_bytes: z.number(),
  tokens_per_second: z.number().nullable(),
  /** Near enough to a border that the header may say otherwise. */
  close: z.boolean(),
});

export const DiscoveredModel = CatalogEntry.extend({
  /** Of the weights: what the source says, or an estimate from their number. */
  size_bytes: z.number().nullable(),
  size_is_estimate: z.boolean(),
  parameters: z.number().nullable(),
  sizes: z.array(z.string()),
  licence_class: z.enum(LICENCE_CLASSES),
  abilities: z.array(z.enum(OFFERED_ABILITIES)),
  fit: EntryFit,
});

export const DiscoverPage = z.object({
  success: z.literal(true),
  models: z.array(DiscoveredModel),
  count: z.number(),
  /** On all pages. */
  total: z.number(),
  page: z.number(),
  limit: z.number(),
  sources: z.array(
    z.object({
      provider: z.string(),
      /** `pending`: it is being asked still; the same request answers more in a moment. */
      state: z.enum(['fresh', 'pending', 'stale', 'failed']),
      error: z.string().nullable(),
      /** What it offered, before anything was chosen. */
      count: z.number(),
    }),
  ),
  machine: z.object({
    available_bytes: z.number(),
    total_bytes: z.number(),
    vram_free_bytes: z.number().nullable(),
  }),
});

export const JudgeQuery = z.object({
  name: z.string().min(1).max(200),
  provider: z.string().max(50),
  runtime: z.string().max(50).default('llama-cpp'),
});

export const JudgeAnswer = z.object({ success: z.literal(true), fit: EntryFit });
