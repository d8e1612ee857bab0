// What tools ask the person of this conversation while they work.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { z } from 'zod';
import {
  type AnswerRequest,
  QuestionAnswer,
  type QuestionFieldItem,
  type QuestionItem,
  QuestionList,
} from '../../../../../src/contract/questions';
import { ApiError, request } from '../../../lib/http';

export type Question = z.output<typeof QuestionItem>;
export type QuestionField = z.output<typeof QuestionFieldItem>;
type Answer = z.output<typeof AnswerRequest>;

/** The WebSocket tells when one comes or is answered; this is for the case that it is cut. */
const REFETCH_MS = 15_000;

export const useQuestions = (sessionId: string) =>
  useQuery({
    queryKey: ['questions', sessionId],
    queryFn: ({ signal }) =>
      request(`/skills/questions?${new URLSearchParams({ state: 'waiting', session_id: sessionId })}`, QuestionList, {
        signal,
      }),
    refetchInterval: REFETCH_MS,
    select: ({ questions }) => questions,
  });

export function useAnswer() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, ...answer }: Answer & { id: string }) =>
      request(`/skills/questions/${id}`, QuestionAnswer, { json: answer }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['questions'] }),
  });
}

/** What does not fit, by the names of fields; null where something else went wrong. */
export function fieldProblems(error: unknown): Readonly<Record<string, string>> | null {
  if (!(error instanceof ApiError) || error.code !== 'invalid_answer') return null;
  return (error.details as { fields?: Record<string, string> } | undefined)?.fields ?? null;
}
