// What a request of the Responses API leaves to the server to remember: the conversation before it, and items it names by
// their ids alone.
import type { ResponseRepository, StoredResponse } from '../../chat/responses/ports.js';
import type { ResponseItem } from '../../contract/responses.js';
import { AppError } from '../../shared/errors.js';
import { maySee, type Owner } from '../../shared/owner.js';

/** Answers one conversation may go back. */
const MAX_CHAIN = 1_000;
/** An id of an item names the response it is of. */
const ITEM_ID = /^(?:msg|rs|fc)_([0-9a-f]{32})\d+$/;

/** What was said before, oldest first. @throws AppError `invalid_input` when a link is missing */
export function formerItems(responses: ResponseRepository, id: string | null, viewer: Owner): ResponseItem[] {
  const chain: StoredResponse[] = [];
  for (let next = id; next !== null; next = chain.at(-1)?.previousId ?? null) {
    const stored = responses.get(next);
    if (!stored || !maySee(viewer, stored.owner) || chain.length >= MAX_CHAIN)
      throw new AppError('invalid_input', `previous_response_id: there is no response ${next} (any more).`);
    chain.push(stored);
  }
  return chain
    .reverse()
    .flatMap(({ input, response }) => [...input, ...(response['output'] as unknown[])] as ResponseItem[]);
}

/**
 * Items by their ids, as some libraries send what was answered before, each in the place of its reference. Those of the
 * conversation that goes on anyway are left out, they are in it.
 * @throws AppError `invalid_input` for an item that is not kept (any more)
 */
export function withReferredItems(
  responses: ResponseRepository,
  input: readonly ResponseItem[],
  former: readonly ResponseItem[],
  viewer: Owner,
): ResponseItem[] {
  if (!input.some(({ type }) => type === 'item_reference')) return [...input];
  const there = new Set(former.map(({ id }) => id));
  return input.flatMap((item) => {
    if (item.type !== 'item_reference') return [item];
    if (there.has(item['id'])) return [];
    const [, response] = ITEM_ID.exec(String(item['id'])) ?? [];
    const stored = response ? responses.get(`resp_${response}`) : null;
    const output = stored && maySee(viewer, stored.owner) ? (stored.response['output'] as ResponseItem[]) : [];
    const found = output.find(({ id }) => id === item['id']);
    if (!found)
      throw new AppError('invalid_input', `input: there is no item ${String(item['id']).slice(0, 100)} (any more).`);
    return [found];
  });
}
