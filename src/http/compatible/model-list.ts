// The list of models at the one address where OpenAI's and Anthropic's clients both look: each model has the fields of
// both, and Anthropic's pages are there for who asks for them.
import type { ModelPageQuery } from '../../contract/anthropic.js';
import type { RuntimeModel } from '../../runtimes/runtime.js';
import { isoUtc } from '../../shared/clock.js';
import { AppError } from '../../shared/errors.js';

/** @param madeAt  milliseconds since the epoch; null where nobody knows */
export const toListedModel = ({ name, provider }: RuntimeModel, madeAt: number | null) => ({
  id: name,
  object: 'model',
  created: Math.floor((madeAt ?? 0) / 1_000),
  owned_by: provider,
  type: 'model',
  display_name: name,
  created_at: isoUtc(madeAt ?? 0),
});

type ListedModel = ReturnType<typeof toListedModel>;

/** @throws AppError `invalid_input` for a place in the list that is not there (any more) */
export function toModelPage(models: readonly ListedModel[], { limit, after_id, before_id }: ModelPageQuery): object {
  const placeOf = (id: string) => {
    const place = models.findIndex((model) => model.id === id);
    if (place === -1) throw new AppError('invalid_input', `No installed model is called ${id}.`);
    return place;
  };
  const until = before_id ? placeOf(before_id) : models.length;
  const from = after_id ? placeOf(after_id) + 1 : before_id && limit ? Math.max(0, until - limit) : 0;
  const data = models.slice(from, limit ? Math.min(until, from + limit) : until);
  const more = before_id ? from > 0 : from + data.length < models.length;
  return { object: 'list', data, has_more: more, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null };
}
