// Models that are in memory now. Chat and runtimes both show them.
import { useQuery } from '@tanstack/react-query';
import { z } from 'zod';
import { LoadedModel } from '../../../src/contract/models';
import { request } from './http';

const Loaded = z.object({ models: z.array(LoadedModel) });

export const useLoaded = () =>
  useQuery({
    queryKey: ['loaded'],
    queryFn: async ({ signal }) => (await request('/models/loaded', Loaded, { signal })).models,
    refetchInterval: 10_000,
  });
