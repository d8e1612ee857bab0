// Every tool a model may be offered, and who may call it.
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { z } from 'zod';
import { ToolAnswer, type ToolItem, ToolList } from '../../../../../src/contract/skills';
import { request } from '../../../lib/http';

export type Skill = z.output<typeof ToolItem>;

export const useSkills = () =>
  useQuery({
    queryKey: ['skills', 'list'],
    queryFn: async ({ signal }) => (await request('/skills', ToolList, { signal })).tools,
  });

export const useSkill = (name: string) =>
  useQuery({
    queryKey: ['skills', 'one', name],
    queryFn: async ({ signal }) => (await request(`/skills/${encodeURIComponent(name)}`, ToolAnswer, { signal })).tool,
  });

export function useSkillPermission() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ name, permission }: { name: string; permission: Skill['permission'] | 'default' }) =>
      request(`/skills/${encodeURIComponent(name)}/permission`, ToolAnswer, { method: 'PUT', json: { permission } }),
    onError: (error) => notifications.show({ color: 'red', message: error.message }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['skills'] }),
  });
}
