// Conversations and their messages.
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { z } from 'zod';
import {
  MessageItem,
  MessageList,
  SessionDetail as SessionDetailShape,
  SessionImport,
  type SessionItem,
  SessionLabelState,
  SessionList,
} from '../../../../../src/contract/sessions';
import type { RanWith } from '../../../../../src/contract/simple-chat';
import { request, send } from '../../../lib/http';
import { Receipt } from '../../../lib/requests';
import { saveFile } from '../../../lib/save-file';

const PAGE = 40;
const at = (id: string): string => `/sessions/${encodeURIComponent(id)}`;

export type Session = z.output<typeof SessionItem>;
export type SessionDetail = z.output<typeof SessionDetailShape>;

const Message = MessageItem.extend({ receipt: Receipt.nullish() });
export type RanWithReport = z.output<typeof RanWith>;
export type Message = z.output<typeof Message>;
const Messages = MessageList.extend({ messages: z.array(Message) });

export function useSessions(search: string) {
  return useInfiniteQuery({
    queryKey: ['sessions', 'list', search],
    queryFn: ({ pageParam, signal }) =>
      request(`/sessions?limit=${PAGE}&offset=${pageParam}&q=${encodeURIComponent(search)}`, SessionList, { signal }),
    initialPageParam: 0,
    getNextPageParam: (last, pages) => {
      const shown = pages.reduce((sum, { sessions }) => sum + sessions.length, 0);
      return shown < last.total ? shown : undefined;
    },
    placeholderData: (previous) => previous,
  });
}

export function useMessages(sessionId: string, enabled: boolean) {
  return useInfiniteQuery({
    queryKey: ['sessions', 'messages', sessionId],
    enabled,
    queryFn: ({ pageParam, signal }) =>
      request(`${at(sessionId)}/messages?limit=100${pageParam === null ? '' : `&before_seq=${pageParam}`}`, Messages, {
        signal,
      }),
    initialPageParam: null as number | null,
    getNextPageParam: (last) => (last.has_more ? last.messages[0]?.seq : undefined),
  });
}

/** One conversation, with what the assistant is told in it. */
export function useSession(id: string | null) {
  return useQuery({
    queryKey: ['sessions', 'one', id],
    enabled: id !== null,
    // One that is not acknowledged yet is no failure worth a second try.
    retry: false,
    queryFn: ({ signal }) => request(at(id ?? ''), SessionDetailShape, { signal }),
  });
}

export function useChangeSession() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, ...change }: { id: string; title?: string; pinned?: boolean; instructions?: string }) =>
      send(at(id), { method: 'PATCH', json: change }),
    onSuccess: (_, { id }) =>
      Promise.all([['list'], ['one', id]].map((key) => queries.invalidateQueries({ queryKey: ['sessions', ...key] }))),
  });
}

export function useDeleteSessions() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (ids: readonly string[]) => {
      for (const id of ids) await send(at(id), { method: 'DELETE' });
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ['sessions', 'list'] }),
  });
}

export function useSessionLabels(id: string) {
  return useQuery({
    queryKey: ['sessions', 'labels', id],
    queryFn: ({ signal }) => request(`${at(id)}/labels`, SessionLabelState, { signal }),
    staleTime: 0,
  });
}

export function useReleaseLabels(id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (reason: string) => request(`${at(id)}/labels/release`, SessionLabelState, { json: { reason } }),
    onSuccess: (state) => queries.setQueryData(['sessions', 'labels', id], state),
  });
}

/** As data URL: what a picture is shown from, and sent again as. */
async function getPicture(sessionId: string, hash: string): Promise<string> {
  const blob = await (await send(`${at(sessionId)}/pictures/${hash}`)).blob();
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

export const getPictures = (sessionId: string, { pictures = [] }: Message): Promise<string[]> =>
  Promise.all(pictures.map(({ hash }) => getPicture(sessionId, hash)));

export function usePicture(sessionId: string, hash: string) {
  return useQuery({
    queryKey: ['sessions', 'picture', sessionId, hash],
    queryFn: () => getPicture(sessionId, hash),
    // The same name, the same bytes.
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** A copy up to a message, under a name of its own. */
export const branchSession = (fromId: string, id: string, upToSeq: number) =>
  send(`${at(fromId)}/branch`, { json: { session_id: id, up_to_seq: upToSeq } });

/** `exported` is what `downloadSession` gave as JSON. */
export const importSession = (exported: z.output<typeof ExportedSession>, id: string) =>
  send('/sessions/import', { json: { ...exported, session_id: id } });

/** Only what an import takes: pictures and figures would make it larger than the server lets in. */
export const ExportedSession = SessionImport.omit({ session_id: true });

export const truncateSession = (id: string, fromSeq: number) =>
  send(`${at(id)}/truncate`, { json: { from_seq: fromSeq } });

export const sessionAsMarkdown = async (id: string): Promise<string> =>
  (await send(`${at(id)}/export?format=markdown`)).text();

export async function downloadSession(id: string, format: 'json' | 'markdown'): Promise<void> {
  const response = await send(`${at(id)}/export?format=${format}`);
  saveFile(
    await response.blob(),
    `venom-${id.replace(/[^\w-]/g, '_').slice(0, 100)}.${format === 'json' ? 'json' : 'md'}`,
  );
}
