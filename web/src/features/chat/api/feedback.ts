// Thumbs under an answer, and the second try a thumb down asks for.
import { useQuery } from '@tanstack/react-query';
import { z } from 'zod';
import { FeedbackResponse } from '../../../../../src/contract/learning';
import { request } from '../../../lib/http';

const FollowUp = z.object({
  status: z.enum(['PENDING', 'PROCESSING', 'COMPLETED', 'FAILED']),
  result: z.string().nullable(),
});

export const sendFeedback = (taskId: string, rating: 'up' | 'down', comment?: string) =>
  request('/feedback', FeedbackResponse, { json: { task_id: taskId, rating, ...(comment ? { comment } : {}) } });

export const useFollowUp = (taskId: string) =>
  useQuery({
    queryKey: ['tasks', 'follow-up', taskId],
    queryFn: ({ signal }) => request(`/tasks/${taskId}`, FollowUp, { signal }),
    refetchInterval: ({ state }) => (/COMPLETED|FAILED/.test(state.data?.status ?? '') ? false : 1_000),
  });
