// /system/services: what this server depends on.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ServiceMonitor, ServiceReport } from '../../chat/services/service-monitor.js';
import { AddressedName } from '../../contract/addressed-name.js';
import { AppError } from '../../shared/errors.js';

export const systemServicesRoutes: FastifyPluginAsyncZod<{ services: ServiceMonitor }> = async (app, { services }) => {
  const tags = ['system'];

  app.get('/system/services', { schema: { tags } }, async () => {
    const reports = await services.reports();
    return { status: 'success', services: reports.map(toService), count: reports.length };
  });

  app.get(
    '/system/services/:service_name',
    { schema: { params: z.object({ service_name: AddressedName }), tags } },
    async ({ params }) => {
      const report = (await services.reports()).find(
        ({ name }) => name.toLowerCase() === params.service_name.toLowerCase(),
      );
      if (!report) throw new AppError('not_found', `There is no service ${params.service_name}.`);
      return {
        status: 'success',
        service: { ...toService(report), error_message: report.error, description: report.description },
      };
    },
  );
};

const toService = (report: ServiceReport) => ({
  name: report.name,
  type: report.type,
  status: report.state,
  latency_ms: report.latencyMs,
  last_check: report.checkedAt,
  is_critical: report.critical,
});
