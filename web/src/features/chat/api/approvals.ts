// Calls of tools that wait for the person's yes in this conversation.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { z } from 'zod';
import {
  ApprovalAnswer,
  type ApprovalItem,
  ApprovalList,
  type DecisionRequest,
} from '../../../../../src/contract/skills';
import { request } from '../../../lib/http';

export type Approval = z.output<typeof ApprovalItem>;
export type Decision = z.output<typeof DecisionRequest>['decision'];

/** The WebSocket tells when one comes or is answered; this is for the case that it is cut. */
const REFETCH_MS = 15_000;

export const useApprovals = (sessionId: string) =>
  useQuery({
    queryKey: ['approvals', sessionId],
    queryFn: ({ signal }) =>
      request(`/skills/approvals?${new URLSearchParams({ state: 'waiting', session_id: sessionId })}`, ApprovalList, {
        signal,
      }),
    refetchInterval: REFETCH_MS,
    select: ({ approvals }) => approvals,
  });

export function useDecision() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, decision }: { id: string; decision: Decision }) =>
      request(`/skills/approvals/${id}`, ApprovalAnswer, { json: { decision } }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['approvals'] }),
  });
}
