// Skills in the workspace: begun, written, approved, gone back to.
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { z } from 'zod';
import {
  CustomSkillAnswer,
  CustomSkillDetail,
  type CustomSkillItem,
  CustomSkillList,
} from '../../../../../src/contract/custom-skills';
import { request, send } from '../../../lib/http';

export type OwnSkill = z.output<typeof CustomSkillItem>;
export type OwnSkillDetail = z.output<typeof CustomSkillDetail>;
export type SkillFile = OwnSkillDetail['files'][number];

/** Somebody may be writing them in an editor of their own. */
const LOOK_MS = 4_000;

const at = (name: string, rest = ''): string => `/skills/custom/${encodeURIComponent(name)}${rest}`;

export const useOwnSkills = () =>
  useQuery({
    queryKey: ['skills', 'own'],
    queryFn: async ({ signal }) => (await request('/skills/custom', CustomSkillList, { signal })).skills,
    refetchInterval: LOOK_MS,
  });

export const useOwnSkill = (name: string) =>
  useQuery({
    queryKey: ['skills', 'own', name],
    queryFn: ({ signal }) => request(at(name), CustomSkillDetail, { signal }),
    refetchInterval: ({ state }) => (state.status === 'error' ? false : LOOK_MS),
  });

export function useNewSkill() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (name: string) => (await request('/skills/custom', CustomSkillAnswer, { json: { name } })).skill,
    onSettled: () => queries.invalidateQueries({ queryKey: ['skills'] }),
  });
}

export function useWriteFile(name: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (json: { path: string; text: string; before: string | null }) =>
      request(at(name, '/files'), CustomSkillAnswer, { method: 'PUT', json }),
    onError: (error) => notifications.show({ color: 'red', message: error.message }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['skills'] }),
  });
}

export function useDeleteFile(name: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (json: { path: string; before: string }) =>
      request(at(name, '/files/delete'), CustomSkillAnswer, { json }),
    onError: (error) => notifications.show({ color: 'red', message: error.message }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['skills'] }),
  });
}

type Change = { action: 'enable' | 'disable' | 'remove' } | { action: 'approve' | 'rollback'; hash: string };

export function useOwnSkillAction(name: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (change: Change) =>
      change.action === 'remove'
        ? send(at(name), { method: 'DELETE' })
        : 'hash' in change
          ? send(at(name, `/${change.action}`), { json: { hash: change.hash } })
          : send(at(name, `/${change.action}`), { method: 'POST' }),
    onError: (error) => notifications.show({ color: 'red', message: error.message }),
    onSettled: (_data, error, { action }) =>
      // Of a skill that is gone nothing is left to be asked for.
      action === 'remove' && !error
        ? queries.invalidateQueries({ queryKey: ['skills', 'own'], exact: true })
        : queries.invalidateQueries({ queryKey: ['skills'] }),
  });
}
